"""Who may come in: API keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from apportion.service.doctor.check import Check, Look, counted, ok, span, warning
from apportion.service.store import ApiKey, Tx

SOON = dt.timedelta(days=14)


def keys(tx: Tx, look: Look) -> Iterator[Check]:
    """Whether keys are about to expire, or never do."""
    now = tx.now()
    good = [key for key in tx.keys.all() if key.revoked_at is None and not _is_over(key, now)]
    ending = [key for key in good if key.expires_at is not None and key.expires_at - now <= SOON]
    endless = [key for key in good if key.expires_at is None]
    for key in ending:
        assert key.expires_at is not None
        said = f"The key {_named(key)} expires in {span(key.expires_at - now)}."
        yield warning("keys", said, f"Make a new one, give it out, then `apportion keys revoke {key.key_id}`.")
    if endless:
        said = f"{counted(len(endless), 'key')} without an end: {', '.join(map(_named, endless))}."
        yield warning("keys", said, "Make new ones with `--days 365`, give them out, and revoke these.")
    if not good:
        yield warning("keys", "No API key is good: nobody can call the API.", "Run `apportion keys create`.")
    elif not ending and not endless:
        yield ok("keys", f"{counted(len(good), 'key')} good.")


def _is_over(key: ApiKey, now: dt.datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= now


def _named(key: ApiKey) -> str:
    return f"{key.key_id} ({key.name})"
