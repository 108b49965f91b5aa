"""Which addresses of the network are everybody's, and how a URL may name its host.

For URLs that strangers paste: what is not surely public counts as ours, and a host that two readers
could understand differently (`0x7f.1`, `2130706433`, `127.1`, a dot at its end) is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from domain.upload import UrlRejected

Address = IPv4Address | IPv6Address

URL_MAX = 2048
PORTS = {"http": 80, "https": 443}

# The special-purpose registry of IANA (RFC 6890 and what followed), with multicast and class E; and
# where Azure answers its own machines, whose address looks like anybody's.
NOT_PUBLIC_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
# Only global unicast is public; of it not what carries or stands for something else: Teredo and its
# neighbours, documentation, 6to4, AS112. IPv4-mapped and NAT64 addresses lie outside of it.
GLOBAL_6 = IPv6Network("2000::/3")
NOT_PUBLIC_6 = tuple(
    IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)

_name = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_][a-z0-9_-]{0,62})*")
_numeric = re.compile(r"([0-9]+|0x[0-9a-f]*)")
_authority = re.compile(r"[/?#]")
_printable = re.compile(r"[^\x00-\x20\x7f\\]+")


def public(address: Address) -> bool:
    """Whether anybody on the internet may reach this address."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in NOT_PUBLIC_4)
    return address in GLOBAL_6 and not any(address in block for block in NOT_PUBLIC_6)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. `host` is a name in ASCII or an address as it is written everywhere."""

    url: str
    scheme: str
    host: str
    port: int
    path: bytes
    address: Address | None

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str) -> Target:
    """Where `url` leads; UrlRejected when that is not plain. Ports are not judged here."""
    if len(url) > URL_MAX or not _printable.fullmatch(url):
        raise UrlRejected("malformed")
    try:
        read = httpx.URL(url)
        host = read.raw_host.decode("ascii").lower()
    except (httpx.InvalidURL, ValueError):
        raise UrlRejected("malformed") from None
    if read.scheme not in PORTS:
        raise UrlRejected("scheme")
    if read.userinfo or "@" in _authority.split(url.partition("//")[2])[0]:
        raise UrlRejected("credentials")
    if not host:
        raise UrlRejected("malformed")
    port = PORTS[read.scheme] if read.port is None else read.port
    if not 0 < port < 65536:
        raise UrlRejected("port")
    return Target(url, read.scheme, host, port, read.raw_path, _literal(host))


def onward(place: Target, location: str) -> str:
    """The URL that a redirect names, whole."""
    try:
        return str(httpx.URL(place.url).join(location))
    except (httpx.InvalidURL, ValueError):
        raise UrlRejected("malformed") from None


def _literal(host: str) -> Address | None:
    """The address that the host is, None for a name; UrlRejected for what is neither."""
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if address is not None and "%" not in host:
        return address
    odd = _numeric.fullmatch(host.rpartition(".")[2])
    if odd or len(host) > 253 or not _name.fullmatch(host):
        raise UrlRejected("host")
    return None


@dataclass(frozen=True, slots=True)
class Exempt:
    """Hosts of MEGA_FETCH_ALLOW, `host` or `host:port`, exempt from both checks of `may_reach`."""

    hosts: frozenset[tuple[str, int | None]] = field(default_factory=frozenset)

    @classmethod
    def of(cls, entries: Iterable[str]) -> Exempt:
        return cls(frozenset(_entry(entry) for entry in entries))

    def __contains__(self, place: Target) -> bool:
        return not self.hosts.isdisjoint({(place.host, None), (place.host, place.port)})


def _entry(entry: str) -> tuple[str, int | None]:
    """`name`, `name:port`, `[address of IPv6]:port` or the bare address."""
    said = entry.strip().lower()
    host, colon, port = said.rpartition(":")
    if not colon or said.endswith("]") or (":" in host and not host.endswith("]")):
        return said.strip("[]"), None
    return host.strip("[]"), int(port)
