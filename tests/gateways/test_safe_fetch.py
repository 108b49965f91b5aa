"""Pasted URLs: what is fetched, from where, and how little a refusal tells."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from consumers.gateways.addresses import Address
from consumers.gateways.safe_fetch import SafeFetch, resolved
from domain.upload import Reason, UploadRejected, UrlReason, UrlRejected

FILE = b"\x89PNG a file"


def ok(body: bytes = FILE, *headers: str) -> bytes:
    said = "".join(f"{line}\r\n" for line in (f"Content-Length: {len(body)}", *headers))
    return f"HTTP/1.1 200 OK\r\n{said}\r\n".encode() + body


def redirect(to: str, status: int = 302) -> bytes:
    said = f"HTTP/1.1 {status} Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
    return said.encode()


@dataclass
class Site:
    """A server of raw answers by path; `heard` are the requests as they came. A path without an
    answer is silent until the caller leaves."""

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heard.append(request)
        answer = self.answers.get(request.split()[1])
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()


@asynccontextmanager
async def open_site(context: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=context)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def fetch(site: Site) -> AsyncIterator[SafeFetch]:
    """Who may reach the site, in half a second, for a hundred bytes."""
    made = SafeFetch([site.host], seconds=0.5, bytes_max=100)
    yield made
    await made.aclose()


def names(**known: str) -> Callable[[str, int], object]:
    async def resolve(host: str, port: int) -> Sequence[Address]:
        said = known.get(host.partition(".")[0], "").split()
        return [ip_address(address) for address in said]

    return resolve


async def refused(fetch: SafeFetch, url: str) -> UrlReason | Reason:
    with pytest.raises((UrlRejected, UploadRejected)) as raised:
        await fetch.get(url)
    return raised.value.members["reason"]


async def test_a_file_comes_whole_and_nothing_of_ours_goes_with_the_question(
    site: Site, fetch: SafeFetch
) -> None:
    site.answers["/a.png?x=1"] = ok(FILE, "Set-Cookie: a=b")
    for _ in range(2):
        assert await fetch.get(f" {site.url('/a.png?x=1')}#part\n") == FILE
    request = site.heard[1].lower()
    assert f"host: {site.host}\r\n" in request
    assert "accept-encoding: identity\r\n" in request
    assert "cookie" not in request and "authorization" not in request


async def test_three_redirects_are_followed_and_a_fourth_is_not(
    site: Site, fetch: SafeFetch
) -> None:
    site.answers |= {f"/{n}": redirect(f"/{n - 1}") for n in range(1, 5)} | {"/0": ok()}
    assert await fetch.get(site.url("/3")) == FILE
    assert await refused(fetch, site.url("/4")) == "redirects"
    assert len(site.heard) == 8


async def test_every_hop_is_judged_like_the_first(site: Site, fetch: SafeFetch) -> None:
    async with open_site() as inside:
        inside.answers["/"] = ok()
        for number, (to, reason) in enumerate(
            [
                (inside.url("/"), "port"),
                ("http://169.254.169.254/latest/meta-data", "unreachable"),
                ("http://[::ffff:127.0.0.1]/", "unreachable"),
                ("file:///etc/passwd", "scheme"),
                (f"http://ada:secret@{site.host}/", "credentials"),
                ("//0x7f.1/", "host"),
            ]
        ):
            site.answers[f"/{number}"] = redirect(to, 307)
            assert await refused(fetch, site.url(f"/{number}")) == reason
        assert inside.heard == []


async def test_a_port_or_a_private_address_is_refused_before_anything_is_sent(site: Site) -> None:
    sent: list[httpx.Request] = []

    class Wire(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return httpx.Response(200, stream=httpx.ByteStream(FILE))

    resolve = names(inside="10.0.0.1", both="8.8.8.8 127.0.0.1")
    fetch = SafeFetch([], resolve=resolve, transport=Wire())
    assert await refused(fetch, site.url("/")) == "port"
    for url in ("http://127.0.0.1/", "http://inside.example/", "https://both.example/"):
        assert await refused(fetch, url) == "unreachable"
    assert sent == []


async def test_closed_silent_unknown_and_private_are_told_in_the_same_words(site: Site) -> None:
    resolve = names(closed="127.0.0.1", silent="127.0.0.1", inside="10.0.0.1")
    async with open_site() as gone:
        closed = f"closed.example:{gone.port}"
    silent = f"silent.example:{site.port}"
    fetch = SafeFetch([closed, silent], resolve=resolve, seconds=0.3)
    told = set()
    for place in (closed, silent, "inside.example", "unknown.example", "192.168.0.1"):
        with pytest.raises(UrlRejected) as raised:
            await fetch.get(f"http://{place}/")
        told.add((raised.value.sentence, str(raised.value.members)))
    assert len(told) == 1


async def test_the_connection_goes_to_the_address_that_was_judged(site: Site) -> None:
    """A name that is public when it is judged and private when it is asked again."""
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return [ip_address("93.184.216.34" if len(asked) == 1 else "127.0.0.1")]

    class Wire(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert request.url.host == "93.184.216.34"
            assert request.headers["host"] == "rebinding.example"
            assert request.extensions["sni_hostname"] == "rebinding.example"
            return httpx.Response(200, stream=httpx.ByteStream(FILE))

    fetch = SafeFetch([], resolve=rebinding, transport=Wire())
    assert await fetch.get("https://rebinding.example/a.png") == FILE
    assert asked == ["rebinding.example"]


async def test_an_address_that_does_not_answer_is_followed_by_the_next(site: Site) -> None:
    site.answers["/"] = ok()
    both = names(both="::1 127.0.0.1")
    fetch = SafeFetch(["both.example"], resolve=both)
    assert await fetch.get(f"http://both.example:{site.port}/") == FILE


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ok(b"x" * 101), "too_large"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101, "too_large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\nx", "too_large"),
        (ok(gzip.compress(b"x" * 100_000), "Content-Encoding: gzip"), "answer"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answer"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "redirects"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut", "unreachable"),
        (b"not HTTP\r\n\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", "unreachable"),
        (redirect("http://[::1"), "malformed"),
        (redirect("http:////:xn--aa.b::1]%"), "malformed"),
    ],
)
async def test_an_answer_that_is_no_plain_file_of_a_sane_size_is_refused(
    site: Site, fetch: SafeFetch, answer: bytes, reason: str
) -> None:
    site.answers["/"] = answer
    assert await refused(fetch, site.url("/")) == reason


async def test_the_longest_file_that_may_be_fetched_is(site: Site, fetch: SafeFetch) -> None:
    site.answers["/"] = ok(b"x" * 100)
    assert len(await fetch.get(site.url("/"))) == 100


def certificate(folder: Path, host: str) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / f"{host}.pem"
    file.write_bytes(secret + signed.public_bytes(Encoding.PEM))
    return file


async def test_the_certificate_must_be_the_names_although_the_address_is_dialled(
    tmp_path: Path,
) -> None:
    file = certificate(tmp_path, "pictures.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    trusting = httpx.AsyncHTTPTransport(verify=ssl.create_default_context(cafile=str(file)))
    resolve = names(pictures="127.0.0.1", others="127.0.0.1")
    fetch = SafeFetch(["pictures.example", "others.example"], resolve=resolve, transport=trusting)
    async with open_site(context) as site:
        site.answers["/"] = ok()
        assert await fetch.get(f"https://pictures.example:{site.port}/") == FILE
        assert f"host: pictures.example:{site.port}\r\n" in site.heard[0].lower()
        assert await refused(fetch, f"https://others.example:{site.port}/") == "unreachable"
    await fetch.aclose()


async def test_names_have_threads_of_their_own() -> None:
    """Strangers decide how long a name takes; pictures are stored and checked meanwhile."""
    free, loop = Event(), asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    others = loop.run_in_executor(None, free.wait)
    try:
        async with asyncio.timeout(5):
            assert ip_address("127.0.0.1") in await resolved("localhost", 80)
    finally:
        free.set()
        await others
