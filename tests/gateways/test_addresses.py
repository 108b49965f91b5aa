"""Which addresses may be fetched from, and which spellings of a host are read at all."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.gateways.addresses import Exempt, public, target
from domain.upload import UrlRejected

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.8",
    "192.88.99.1",
    "192.168.1.1",
    "198.19.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
ours = st.sampled_from(
    [IPv4Network(block) for block in ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16")]
).flatmap(lambda block: st.integers(int(block[0]), int(block[-1])).map(IPv4Address))


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_everybodys_is_not_public(address: str) -> None:
    assert not public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "2606:4700::1111"])
def test_what_anybody_may_reach_is_public(address: str) -> None:
    assert public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_counts_as_public_that_the_standard_library_calls_private(
    address: IPv4Address | IPv6Address,
) -> None:
    if public(address):
        assert address.is_global
        assert not (address.is_multicast or address.is_loopback or address.is_link_local)


@given(st.ip_addresses(v=4))
def test_no_address_of_ipv6_carries_one_of_ipv4_past_the_check(inner: IPv4Address) -> None:
    number = int(inner)
    for carrier in (
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address(number),
        IPv6Address((0x2002 << 112) | (number << 80)),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
    ):
        assert not public(carrier), carrier


@given(ours)
def test_every_spelling_of_a_private_address_is_odd_or_known_as_private(
    address: IPv4Address,
) -> None:
    number, octets = int(address), address.packed
    low = number & 0xFFFFFF
    for host in (
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        f"{octets[0]}.{low}",
        f"0x{octets[0]:x}.{low}",
        ".".join(f"0{octet:o}" for octet in octets),
        ".".join(hex(octet) for octet in octets),
        f"{address}.",
        f"[::ffff:{address}]",
    ):
        try:
            known = target(f"http://{host}/a.png").address
        except UrlRejected:
            continue
        assert known is not None and not public(known), host


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://pictures.example/a.png", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://pictures.example/", "scheme"),
        ("//pictures.example/a.png", "scheme"),
        ("pictures.example/a.png", "scheme"),
        ("http:/pictures.example", "malformed"),
        ("http://", "malformed"),
        ("http://[::1", "malformed"),
        ("http://a b/", "malformed"),
        ("http://a\nb/", "malformed"),
        ("http://a\\@127.0.0.1/", "malformed"),
        ("http://a/" + "x" * 2048, "malformed"),
        ("http://a/\ud800", "malformed"),
        ("http://ada@pictures.example/", "credentials"),
        ("http://ada:secret@pictures.example/", "credentials"),
        ("http://@pictures.example/", "credentials"),
        ("http://pictures.example:0/", "port"),
        ("http://pictures.example:99999/", "port"),
        ("http://pictures.example./", "host"),
        ("http://0x7f.1/", "host"),
        ("http://2130706433/", "host"),
        ("http://127.1/", "host"),
        ("http://0177.0.0.1/", "malformed"),
        ("http://a..b/", "host"),
        ("http://-a.example/", "host"),
        ("http://[fe80::1%25eth0]/", "host"),
        ("http://[fe80::1%25eth0]..ß]", "malformed"),
    ],
)
def test_a_url_that_is_not_plain_is_refused_and_says_why(url: str, reason: str) -> None:
    with pytest.raises(UrlRejected) as refused:
        target(url)
    assert refused.value.members == {"reason": reason}


def test_a_plain_url_leads_where_it_says() -> None:
    place = target("HTTPS://Pictures.Example/a%20b.png?x=1@2#end")
    assert (place.scheme, place.host, place.port) == ("https", "pictures.example", 443)
    assert (place.path, place.authority) == (b"/a%20b.png?x=1@2", "pictures.example")
    assert target("http://exämple.com/").host == "xn--exmple-cua.com"
    assert target("http://[2606:4700::1111]:8080/").authority == "[2606:4700::1111]:8080"


@pytest.mark.parametrize(
    ("entry", "url", "exempt"),
    [
        ("127.0.0.1:8500", "http://127.0.0.1:8500/a", True),
        ("127.0.0.1:8500", "http://127.0.0.1:8501/a", False),
        ("127.0.0.1", "http://127.0.0.1:8501/a", True),
        ("Web.Test", "http://web.test/a", True),
        ("web.test", "http://x.web.test/a", False),
        ("web.test:80", "http://web.test/a", True),
        ("[::1]:8500", "http://[::1]:8500/a", True),
        ("[::1]:8500", "http://[::1]/a", False),
        ("::1", "http://[::1]/a", True),
    ],
)
def test_only_the_very_host_that_is_listed_is_exempt(entry: str, url: str, exempt: bool) -> None:
    assert (target(url) in Exempt.of([entry])) is exempt


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://[", "http://a:"]))
def test_any_text_is_a_url_or_is_refused(text: str, start: str) -> None:
    try:
        place = target(start + text)
    except UrlRejected:
        return
    assert place.authority.isascii() and place.host and place.scheme in ("http", "https")
