"""A receiver can tell our messages from forged, changed and replayed ones."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.connectors.webhook import check_signature, new_secret
from apportion.connectors.webhook.signature import signed_headers
from apportion_models.errors import InputError, UsageError

SECRET, OLD = "whsec_" + base64.b64encode(b"a" * 32).decode(), "whsec_" + base64.b64encode(b"b" * 32).decode()
NOW = 1_790_000_000.0


def _headers(body: bytes = b"{}", *, secrets: tuple[str, ...] = (SECRET,), at: float = NOW) -> dict[str, str]:
    return signed_headers(body, key="k1", at=at, secrets=secrets)


def test_the_published_example_of_standard_webhooks() -> None:
    """The vector that the libraries of Standard Webhooks test themselves with."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = signed_headers(body, key="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, secrets=(secret,))
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(max_size=200), st.integers(-300, 300))
def test_a_signed_message_passes_within_the_window(body: bytes, late: int) -> None:
    """Any body, five minutes either way; names of headers in any case."""
    headers = {name.title(): value for name, value in _headers(body).items()}
    assert check_signature(headers, body, secrets=(SECRET,), now=NOW + late) == "k1"


@pytest.mark.parametrize("late", [-302, 302, 86_400])
def test_outside_the_window_it_is_refused(late: int) -> None:
    """A caught message cannot be played again later."""
    with pytest.raises(InputError, match="window"):
        check_signature(_headers(), b"{}", secrets=(SECRET,), now=NOW + late)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "k2"}, {"webhook-timestamp": str(int(NOW) + 1)}, {"webhook-timestamp": "-5"},
        {"webhook-timestamp": "1e9"}, {"webhook-timestamp": "9" * 400}, {"webhook-timestamp": "٣"},
        {"webhook-signature": "v1,AAAA"}, {"webhook-signature": ""}, {"webhook-id": ""}, {"webhook-signature": "v1,Å"},
    ],
)  # fmt: skip
def test_any_change_is_noticed(change: dict[str, str]) -> None:
    """Of the id, the time, the signature."""
    with pytest.raises(InputError):
        check_signature({**_headers(), **change}, b"{}", secrets=(SECRET,), now=NOW)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_another_body_is_noticed(one: bytes, other: bytes) -> None:
    """Of any length."""
    if one != other:
        with pytest.raises(InputError):
            check_signature(_headers(one), other, secrets=(SECRET,), now=NOW)


def test_while_a_secret_is_changed_both_work() -> None:
    """We sign with both; a receiver that knows either takes it; one that knows neither does not."""
    both = _headers(secrets=(SECRET, OLD))
    for known in ((SECRET,), (OLD,), (OLD, SECRET)):
        assert check_signature(both, b"{}", secrets=known, now=NOW) == "k1"
    assert check_signature(_headers(secrets=(OLD,)), b"{}", secrets=(SECRET, OLD), now=NOW) == "k1"
    with pytest.raises(InputError):
        check_signature(both, b"{}", secrets=(new_secret(),), now=NOW)


@pytest.mark.parametrize("secret", ["", "hidden", "whsec_", "whsec_hidden!", "whsec_aGlkZGVu", "WHSEC_" + "a" * 44])
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: str) -> None:
    """Too short, not base64, without its prefix."""
    with pytest.raises(UsageError) as caught:
        _headers(secrets=(secret,))
    assert "hidden" not in str(caught.value)


def test_fresh_secrets_differ() -> None:
    """And can be used."""
    assert new_secret() != new_secret()
    assert check_signature(_headers(secrets=(new := new_secret(),)), b"{}", secrets=(new,), now=NOW)
