"""API keys: shown once when made, kept as hashes, with scopes; rotated, revoked, expiring."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

import sqlalchemy as sa

from apportion.service.store.desk import Desk
from apportion.service.store.schema import api_keys
from apportion_models.errors import ConflictError, NotFoundError, UsageError

SCOPES = ("read", "write", "route", "admin")
PREFIX = "apn"
NOTHING = "0" * 64  # compared with where there is no such key, so that it takes as long


@dataclass(frozen=True)
class ApiKey:
    """One key, without its secret."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    rotated_at: dt.datetime | None
    revoked_at: dt.datetime | None

    def may(self, scope: str) -> bool:
        """Whether the key is good for a scope; `admin` is good for all."""
        return scope in self.scopes or "admin" in self.scopes

    def good_at(self, now: dt.datetime) -> bool:
        """Whether it is good at a moment: not revoked, and not expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class Keys(Desk):
    """What can be asked and said of API keys."""

    def create(self, name: str, scopes: Sequence[str], *, expires_at: dt.datetime | None = None) -> tuple[ApiKey, str]:
        """Make a key; its secret is given here and nowhere else. Raises UsageError for an unknown scope, or none,
        and for a name that says nothing."""
        if not name.strip():
            raise UsageError("A key needs a name that tells what it is for, such as website.")
        wrong = sorted(set(scopes) - set(SCOPES))
        if wrong or not scopes:
            raise UsageError(f"The scopes must be some of {', '.join(SCOPES)}. Got {', '.join(wrong) or 'none'}.")
        key_id = secrets.token_hex(6)
        secret = _secret(key_id)
        row = {"key_id": key_id, "name": name, "hash": _hash(secret), "scopes": sorted(set(scopes))}
        self.changed(sa.insert(api_keys).values(**row, created_at=self.tx.now(), expires_at=expires_at))
        self.note("key.create", key=key_id, scopes=row["scopes"])
        return self.get(key_id), secret

    def check(self, secret: str) -> ApiKey | None:
        """The key that a secret belongs to; None where it is none, was revoked or has expired."""
        parts, now = secret.split("_"), self.tx.now()
        named = parts[1] if len(parts) == 3 and parts[0] == PREFIX and "\x00" not in secret else ""
        row = self.first(sa.select(api_keys).where(api_keys.c.key_id == named)) if named.isalnum() else None
        given, still = _hash(secret), row is not None and row.previous_until is not None and row.previous_until > now
        own = compare_digest(given, NOTHING if row is None else row.hash)
        previous = compare_digest(given, row.previous_hash if row is not None and still else NOTHING)
        if row is None or not (own or previous):
            return None
        key = _key(row)
        return key if key.good_at(now) else None

    def rotate(self, key_id: str, *, grace: dt.timedelta = dt.timedelta(hours=24)) -> tuple[ApiKey, str]:
        """Give a key a new secret; the old one is good for `grace` yet. Raises NotFoundError, ConflictError."""
        if self.get(key_id).revoked_at is not None:
            raise ConflictError(f"The key {key_id} is revoked: make a new one.")
        now, secret = self.tx.now(), _secret(key_id)
        new = {
            "hash": _hash(secret),
            "previous_hash": api_keys.c.hash,
            "previous_until": now + grace,
            "rotated_at": now,
        }
        self.changed(sa.update(api_keys).where(api_keys.c.key_id == key_id).values(new))
        self.note("key.rotate", key=key_id)
        return self.get(key_id), secret

    def revoke(self, key_id: str) -> ApiKey:
        """Let a key be good for nothing from now on. Raises NotFoundError."""
        if self.get(key_id).revoked_at is None:
            self.changed(sa.update(api_keys).where(api_keys.c.key_id == key_id).values(revoked_at=self.tx.now()))
            self.note("key.revoke", key=key_id)
        return self.get(key_id)

    def get(self, key_id: str) -> ApiKey:
        """One key. Raises NotFoundError."""
        row = self.first(sa.select(api_keys).where(api_keys.c.key_id == key_id))
        if row is None:
            raise NotFoundError(f"There is no key {key_id!r}.")
        return _key(row)

    def all(self) -> list[ApiKey]:
        """Every key, the oldest first."""
        return [_key(row) for row in self.rows(sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id))]


def _secret(key_id: str) -> str:
    return f"{PREFIX}_{key_id}_{secrets.token_hex(24)}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(
        row.key_id, row.name, tuple(row.scopes), row.created_at, row.expires_at, row.rotated_at, row.revoked_at
    )
