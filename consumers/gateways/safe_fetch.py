"""A file from a URL that a stranger pasted, fetched without lending anybody our place in the
network (`contract.md` §7, uploads; OWASP API7).

A name is resolved once and the connection goes to the very address that was judged, so that a name
which changes in between leads nowhere. Every redirect is judged like the first address. What the
network says (a name that does not exist, a closed port, silence, a private address) is one answer.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address

import httpx

from consumers.gateways.addresses import PORTS, Address, Exempt, Target, onward, public, target
from domain.upload import BYTES_MAX, UploadRejected, UrlRejected

REDIRECTS_MAX = 3
ADDRESSES_MAX = 4
FETCH_S = 15.0
CONNECT_S = 4.0
AT_ONCE = 16
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = {
    "User-Agent": "mega-fetch/1",
    "Accept": "image/png, image/jpeg, image/webp",
    "Accept-Encoding": "identity",
    "Connection": "close",
}

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]

# Threads of their own: who asks for a name may let it wait far longer than we do, and what waits
# for it must not be what stores pictures and checks them.
_names = ThreadPoolExecutor(AT_ONCE, "names")


async def resolved(host: str, port: int) -> list[Address]:
    """The addresses of a name, best first; none when it has none."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = await asyncio.get_running_loop().run_in_executor(_names, ask)
    except (OSError, UnicodeError):
        return []
    return [ip_address(str(place[0]).partition("%")[0]) for *_, place in found]


class SafeFetch:
    """`allow` as MEGA_FETCH_ALLOW has it; `seconds` for all of it, redirects included."""

    def __init__(
        self,
        allow: Sequence[str],
        *,
        resolve: Resolve = resolved,
        seconds: float = FETCH_S,
        bytes_max: int = BYTES_MAX,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        # A kept connection to an address could be used for another name on it.
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=0)
        self._web = transport or httpx.AsyncHTTPTransport(trust_env=False, limits=limits)
        self._exempt = Exempt.of(allow)
        self._resolve = resolve
        self._seconds = seconds
        self._bytes_max = bytes_max

    async def aclose(self) -> None:
        await self._web.aclose()

    async def get(self, url: str) -> bytes:
        """The file's bytes. Raises UrlRejected; UploadRejected when there are too many of them."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url.strip())
        except (TimeoutError, httpx.TransportError):
            raise UrlRejected("unreachable") from None

    async def _follow(self, url: str) -> bytes:
        for _ in range(REDIRECTS_MAX + 1):
            place = target(url)
            response = await self._open(place)
            try:
                if response.status_code not in REDIRECTS:
                    return await self._body(response)
                url = onward(place, response.headers.get("location", ""))
            finally:
                await response.aclose()
        raise UrlRejected("redirects")

    async def _open(self, place: Target) -> httpx.Response:
        """The beginning of an answer from the first address that takes the connection."""
        for address in await self._addresses(place):
            try:
                return await self._web.handle_async_request(_request(place, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        raise UrlRejected("unreachable")

    async def _addresses(self, place: Target) -> Sequence[Address]:
        exempt = place in self._exempt
        if not exempt and place.port != PORTS[place.scheme]:
            raise UrlRejected("port")
        found = [place.address] if place.address else await self._resolve(place.host, place.port)
        if not exempt and not all(public(address) for address in found):
            raise UrlRejected("unreachable")
        return found[:ADDRESSES_MAX]

    async def _body(self, response: httpx.Response) -> bytes:
        """Bounded, as it was sent: what is packed could be anything unpacked."""
        packed = response.headers.get("content-encoding", "identity").lower() != "identity"
        if response.status_code != 200 or packed:
            raise UrlRejected("answer")
        declared = response.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._bytes_max:
            raise UploadRejected("too_large")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._bytes_max:
                raise UploadRejected("too_large")
        return bytes(body)


def _request(place: Target, address: Address) -> httpx.Request:
    """To the address; the name stands in the Host header and in the TLS handshake."""
    there = f"[{address}]" if address.version == 6 else str(address)
    url = httpx.URL(scheme=place.scheme, host=there, port=place.port, raw_path=place.path)
    timeout = httpx.Timeout(FETCH_S, connect=CONNECT_S)
    return httpx.Request(
        "GET",
        url,
        headers={"Host": place.authority, **HEADERS},
        extensions={"timeout": timeout.as_dict(), "sni_hostname": place.host},
    )
