"""Where a webhook may go: no address inside the operator's own network can be reached by naming it in a URL.

The name is looked up once, every address that it has is checked, and the connection is made to the address that was
checked: a name that points elsewhere a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from apportion.connectors.contract import GiveUpError, RetryLaterError
from apportion.connectors.extras import need
from apportion_models.errors import UsageError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
LookUp = Callable[[str, int], list[str]]
# Addresses at which clouds tell a machine its own secrets: refused even inside a network that is allowed.
METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"))
)
NAT64 = ip_network("64:ff9b::/96")
HOST = re.compile(r"[A-Za-z0-9._:-]+")
MOST_TRIED = 4


@dataclass(frozen=True, kw_only=True)
class Destinations:
    """What an operator allows: https to public addresses, unless more is said.

    plain_http : also http. networks : networks that are not public and may be reached all the same.
    """

    plain_http: bool = False
    networks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for text in self.networks:
            try:
                ip_network(text)
            except ValueError:
                raise UsageError(f"An allowed network must be like 10.1.0.0/16. Got {text!r}.") from None

    def check_url(self, url: str) -> Any:
        """The URL, read (an httpx2.URL). Raises UsageError where its form is not allowed; looks nothing up."""
        httpx = need("httpx2")
        try:
            read = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise UsageError("A webhook's URL cannot be read.") from None
        schemes = ("https", "http") if self.plain_http else ("https",)
        if read.scheme not in schemes:
            raise UsageError(f"A webhook's URL must begin with {' or '.join(schemes)}. Got {read.scheme!r}.")
        if not read.host:
            raise UsageError("A webhook's URL must name a host.")
        if not HOST.fullmatch(read.raw_host.decode("ascii")) or not 0 < (read.port or 1) < 65_536:
            raise UsageError("A webhook's URL must have a host and a port that can be.")
        if read.userinfo:
            raise UsageError("A webhook's URL must hold no user and no password: the signature tells who sends.")
        return read

    def addresses(
        self, host: str, port: int, *, look_up: LookUp | None = None, seconds: float | None = None
    ) -> tuple[str, ...]:
        """The addresses of a host, all of them allowed, looked up within `seconds`.

        Raises RetryLaterError where the name cannot be looked up now, GiveUpError where one address is not allowed:
        which of them is taken would otherwise be up to whoever owns the name.
        """
        try:
            found = _in_time(look_up or _look_up, host, port, seconds)
        except (OSError, UnicodeError):
            raise RetryLaterError(f"The webhook's host {host} cannot be looked up now.") from None
        allowed = [ip_network(text) for text in self.networks]
        for text in found:
            fault = refusal(ip_address(text.partition("%")[0]), allowed)
            if fault:
                raise GiveUpError(f"The webhook's host {host} is {fault}: not allowed as a destination.")
        if not found:
            raise RetryLaterError(f"The webhook's host {host} has no address now.")
        return tuple(found[:MOST_TRIED])


def refusal(address: Address, allowed: list[Network]) -> str:
    """Why an address must not be reached; empty where it may."""
    every = _meant(address)
    if any(one in METADATA for one in every):
        return "a cloud's metadata address"
    if any(one in network for one in every for network in allowed):
        return ""
    for one in every:
        for kind in ("loopback", "link_local", "multicast", "unspecified", "private", "reserved"):
            if getattr(one, f"is_{kind}"):
                return f"a {kind.replace('_', '-')} address"
        if not one.is_global:
            return "no public address"
    return ""


def _meant(address: Address) -> list[Address]:
    """The address that is reached: the IPv4 address that it stands for (mapped, NAT64), else itself and what it carries
    (compatible, 6to4, Teredo)."""
    if isinstance(address, IPv4Address):
        return [address]
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None or address in NAT64:
        return [low]
    carried: list[Address] = [] if address.sixtofour is None else [address.sixtofour]
    carried += address.teredo or ()
    if int(address) >> 32 == 0:
        carried.append(low)
    return [address, *carried]


def _in_time(look_up: LookUp, host: str, port: int, seconds: float | None) -> list[str]:
    """What the lookup finds. A name server that does not answer is left to its own thread: nothing can end it."""
    ends: list[Any] = []

    def ask() -> None:
        try:
            ends.append(look_up(host, port))
        except Exception as error:
            ends.append(error)

    thread = threading.Thread(target=ask, name="webhook lookup", daemon=True)
    thread.start()
    thread.join(seconds)
    end = ends[0] if ends else TimeoutError("no answer in time")
    if isinstance(end, Exception):
        raise end
    return list(end)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
