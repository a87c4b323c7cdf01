"""The webhook as a sink: what the answers mean."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from apportion.connectors.contract import LONGEST_WAIT, GiveUpError, Message, Receipt, RetryLaterError, check_key
from apportion.connectors.webhook.destinations import Destinations, LookUp
from apportion.connectors.webhook.sending import Answer, post
from apportion.connectors.webhook.signature import read_secret, signed_headers
from apportion_models.errors import UsageError

MOST_BYTES = 5_000_000
TRY_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Posts each message as JSON, signed. `webhook-id` is the key: the same at every attempt.

    secrets : the one in use, and while it is changed the old one too. seconds : for one attempt, from start to end.
    tls : for a certificate authority of one's own. Raises UsageError where URL or secrets cannot be used.
    """

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    destinations: Destinations = field(default_factory=Destinations)
    seconds: float = 10.0
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    clock: Callable[[], float] = field(default=time.time, repr=False)
    look_up: LookUp | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.secrets) <= 2:
            raise UsageError("A webhook must have a secret, or two while it is changed.")
        for secret in self.secrets:
            read_secret(secret)
        self.destinations.check_url(self.url)

    def deliver(self, message: Message, *, key: str) -> Receipt:
        """Post the message. 2xx: it is there. 408, 425, 429 and 5xx: again. Any other answer: given up."""
        check_key(key)
        body = body_of(message, key=key)
        now = self.clock()
        headers = {
            "content-type": "application/json",
            "user-agent": "apportion-webhook/1",
            **signed_headers(body, key=key, at=now, secrets=self.secrets),
        }
        answer = post(
            self.url,
            body,
            headers,
            destinations=self.destinations,
            seconds=self.seconds,
            tls=self.tls,
            look_up=self.look_up,
        )
        return self._judged(answer, key=key, now=now)

    @property
    def where(self) -> str:
        """The host alone: path and query may hold what is secret."""
        return str(self.destinations.check_url(self.url).host)

    def _judged(self, answer: Answer, *, key: str, now: float) -> Receipt:
        status = answer.status
        if 200 <= status < 300:
            return Receipt(key=key, where=self.where)
        if status in TRY_AGAIN or status >= 500:
            wait = read_retry_after(answer.retry_after, now=now)
            raise RetryLaterError(f"The webhook at {self.where} answered {status}.", after=wait)
        if 300 <= status < 400:
            raise GiveUpError(
                f"The webhook at {self.where} answered {status}: redirects are not followed; use its target."
            )
        raise GiveUpError(f"The webhook at {self.where} answered {status}.")


def body_of(message: Message, *, key: str) -> bytes:
    """The bytes that are signed and sent. Raises GiveUpError where they are too many."""
    document = {"id": key, **message.document()}
    body = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if len(body) > MOST_BYTES:
        raise GiveUpError(f"A webhook's message must have at most {MOST_BYTES:,} bytes. Got {len(body):,}.")
    return body


def read_retry_after(text: str, *, now: float) -> float | None:
    """Seconds to wait by a Retry-After header, in seconds or as a date; None where it says nothing of use."""
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        try:
            date = email.utils.parsedate_to_datetime(text)
        except (TypeError, ValueError, IndexError):
            return None
        seconds = (date if date.tzinfo else date.replace(tzinfo=dt.UTC)).timestamp() - now
    return min(max(seconds, 0.0), LONGEST_WAIT)
