"""Signing a webhook as Standard Webhooks 1.0 says (standardwebhooks.com), so that receivers may use its libraries.

Signed is `<id>.<timestamp>.<body>` with HMAC-SHA256. While a secret is being changed, both the new and the old sign.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Mapping, Sequence

from apportion_models.errors import InputError, UsageError

PREFIX = "whsec_"
WINDOW = 300.0  # seconds that a receiver's clock may differ, and that a caught message can be played again
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def new_secret() -> str:
    """A fresh secret of 32 random bytes."""
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def read_secret(text: str) -> bytes:
    """The bytes of a secret. Raises UsageError, unless it is whsec_ and base64 of 24 to 64 bytes; never shows it."""
    try:
        found = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not text.startswith(PREFIX) or not 24 <= len(found) <= 64:
        raise UsageError("A webhook's secret must be whsec_ and then base64 of 24 to 64 bytes.")
    return found


def signed_headers(body: bytes, *, key: str, at: float, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of a message that is sent at `at` (seconds since 1970), with a signature for each secret."""
    stamp = str(int(at))
    signatures = [_signature(body, key=key, stamp=stamp, secret=secret) for secret in secrets]
    return {ID: key, TIMESTAMP: stamp, SIGNATURE: " ".join(signatures)}


def check_signature(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: float, window: float = WINDOW
) -> str:
    """For a receiver: the message's id, if one of the secrets signed this very body within the window.

    Raises InputError where it is forged, changed, or too old or too new. A message may still come twice: keep its id.
    """
    known = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in (ID, TIMESTAMP, SIGNATURE) if not known.get(name)]
    if missing:
        raise InputError(f"A webhook must have the headers {', '.join(missing)}.")
    stamp = known[TIMESTAMP]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        raise InputError("A webhook's timestamp must be whole seconds since 1970.")
    expected = [_signature(body, key=known[ID], stamp=stamp, secret=secret).encode() for secret in secrets]
    given = [part.encode() for part in known[SIGNATURE].split()[:8]]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise InputError("The webhook's signature is not by a secret of ours.")
    if abs(now - int(stamp)) > window:
        raise InputError("The webhook's timestamp is outside the window: too old, or a clock is wrong.")
    return known[ID]


def _signature(body: bytes, *, key: str, stamp: str, secret: str) -> str:
    digest = hmac.digest(read_secret(secret), f"{key}.{stamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
