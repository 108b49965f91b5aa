"""A load over keep-alive HTTP/1.1 that costs little itself: bytes in, status and length out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import orjson


def request(
    method: str,
    path: str,
    body: object = None,
    token: str = "",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """The bytes of one request."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
    lines += ["Content-Type: application/json"] if content else []
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def rate(url: str, hands: int, seconds: float, ask: Callable[[int], bytes]) -> float:
    """Requests a second by `hands` connections; `ask(hand)` gives the next request of one."""
    at = urlsplit(url)
    end = time.perf_counter() + seconds
    done = 0

    async def hand(number: int) -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        while time.perf_counter() < end:
            writer.write(ask(number))
            status = await answered(reader)
            if status >= 300:
                raise RuntimeError(f"the server answered {status}")
            done += 1
        writer.close()
        await writer.wait_closed()

    start = time.perf_counter()
    await asyncio.gather(*[hand(number) for number in range(hands)])
    return done / (time.perf_counter() - start)


async def waits(url: str, hands: int, ask: Callable[[], bytes | None]) -> list[float]:
    """Seconds from each request to its whole answer, by `hands` connections; `ask()` gives the next
    request, None when there are no more."""
    at = urlsplit(url)
    found: list[float] = []

    async def hand() -> None:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        while asked := ask():
            start = time.perf_counter()
            writer.write(asked)
            status = await answered(reader)
            found.append(time.perf_counter() - start)
            if status >= 300:
                raise RuntimeError(f"the server answered {status}")
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*[hand() for _ in range(hands)])
    return found


async def arrivals(url: str, per_s: float, asked: Sequence[bytes]) -> list[float]:
    """Like `waits`, for requests that come at a steady pace, whether the ones before are answered
    or not; each has a connection of its own."""
    at, begun = urlsplit(url), time.perf_counter()

    async def one(number: int, said: bytes) -> float:
        due = begun + number / per_s
        await asyncio.sleep(due - time.perf_counter())
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(said)
        status = await answered(reader)
        writer.close()
        if status >= 300:
            raise RuntimeError(f"the server answered {status}")
        return time.perf_counter() - due

    return list(await asyncio.gather(*[one(*each) for each in enumerate(asked)]))


async def answered(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    start = lowered.index(b"content-length:") + len(b"content-length:")
    length = int(lowered[start : lowered.index(b"\r\n", start)])
    await reader.readexactly(length)
    return int(head[9:12])
