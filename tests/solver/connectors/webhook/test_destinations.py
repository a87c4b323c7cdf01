"""No address that is not public can be reached, however it is written and wherever a name points."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.connectors import GiveUpError, RetryLaterError
from apportion.connectors.webhook import Destinations
from apportion.connectors.webhook.destinations import METADATA, refusal
from apportion_models.errors import UsageError

OPEN = Destinations(plain_http=True)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.1.1", "169.254.169.254",
        "100.64.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
        "198.18.0.1", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "2002:a00:1::", "2001:0:7f00:1::",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    """Private, loopback, link-local, shared, documentation, multicast, metadata; also inside an IPv6 address."""
    assert refusal(ip_address(address), [])
    with pytest.raises(GiveUpError, match="not allowed as a destination"):
        OPEN.addresses("host.example", 80, look_up=lambda *_: [address])


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_pass(address: str) -> None:
    """Also those that carry a public IPv4 address."""
    assert refusal(ip_address(address), []) == ""
    assert OPEN.addresses("h", 80, look_up=lambda *_: [address]) == (address,)


@given(st.ip_addresses())
def test_whatever_python_calls_private_is_refused(address: object) -> None:
    """For any address at all."""
    found = ip_address(str(address))
    if not found.is_global or found.is_multicast:
        assert refusal(found, [])


def test_one_bad_address_spoils_the_name() -> None:
    """Which of its addresses would be taken is up to whoever owns the name."""
    with pytest.raises(GiveUpError):
        OPEN.addresses("h", 80, look_up=lambda *_: ["8.8.8.8", "10.0.0.1"])


def test_an_allowed_network_opens_that_network_alone() -> None:
    """And no metadata address, even inside it."""
    inner = Destinations(networks=("10.1.0.0/16", "169.254.0.0/16", "0.0.0.0/0"))
    assert inner.addresses("h", 443, look_up=lambda *_: ["10.1.2.3"]) == ("10.1.2.3",)
    for address in METADATA:
        assert refusal(address, [ip_network("0.0.0.0/0"), ip_network("::/0")])
    with pytest.raises(GiveUpError):
        Destinations(networks=("10.1.0.0/16",)).addresses("h", 443, look_up=lambda *_: ["10.2.0.1"])
    with pytest.raises(UsageError, match=r"10\.1\.0\.0/16"):
        Destinations(networks=("everything",))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.1", "localhost", "[::1]"])
def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    """Decimal, hexadecimal, octal, short: what counts is where the name leads, by the system's own lookup."""
    try:
        read = OPEN.check_url(f"http://{host}:8080/")
    except UsageError:
        return
    with pytest.raises((GiveUpError, RetryLaterError)):
        OPEN.addresses(read.host, 8080)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://example.com/", "https"), ("ftp://example.com/", "https"), ("file:///etc/passwd", "https"),
        ("gopher://x/", "https"), ("//example.com/", "https"), ("example.com", "https"), ("", "https"),
        ("https://", "host"), ("https:///path", "host"), ("https://user:hidden@example.com/", "no user"),
        ("https://exa mple.com/", "host and a port"), ("https://[::1", "URL"), ("https://example.com:99999/", "URL"),
    ],
)  # fmt: skip
def test_forms_that_are_not_allowed(url: str, what: str) -> None:
    """https alone, a host, no password; refused before anything is looked up, and no password is shown."""
    with pytest.raises(UsageError, match=what) as caught:
        Destinations().check_url(url)
    assert "hidden" not in str(caught.value)


def test_a_name_that_cannot_be_looked_up_is_tried_again() -> None:
    """Name servers fail for a while."""

    def fails(host: str, port: int) -> list[str]:
        raise OSError("no name server")

    with pytest.raises(RetryLaterError):
        OPEN.addresses("h", 80, look_up=fails)
    with pytest.raises(RetryLaterError):
        OPEN.addresses("h", 80, look_up=lambda *_: [])
