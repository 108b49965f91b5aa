"""A web site with pictures on it, and with everything a site can do to whoever fetches from it.

It is no vendor's: what `POST /uploads/from-url` has to survive is written here as paths.

    /ANY/NAME.png|jpg|webp?w=&h=    a picture; the same path and size, the same bytes
    /redirect?to=URL    302 to any URL; without one to itself, for ever
    /slow?pieces=N    a picture a byte at a time, half a second apart
    /huge?megabytes=N    a picture's first bytes and then 26 MB more, of an untold length
    /bomb.png    400 million pixels in 50 kB
    /page.png    HTML called a picture
    /empty.png    0 bytes
    /lie.png    a PNG whose type is said to be text/html
    /    this list
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from functools import cache

from embedded.twins.paint import TYPE_OF, paint
from embedded.twins.wire import Answer, Call

KINDS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp"}
SIDE, MAX_SIDE = 512, 4096
MEGABYTE = 1024 * 1024
BOMB_SIDE = 20_000
TEXT = {"content-type": "text/plain; charset=utf-8"}
PAGE = b"<!doctype html><title>Not a picture</title><script>alert(1)</script>"


class Web:
    """`GET` and `HEAD` of the paths above."""

    name = "web"
    base_path = ""

    async def answer(self, call: Call) -> Answer:
        if call.method not in ("GET", "HEAD"):
            return Answer(405, b"", {"allow": "GET, HEAD"})
        png = {"content-type": "image/png"}
        match call.path:
            case "/redirect":
                to = call.query.get("to") or f"{call.origin}/redirect"
                return Answer(302, b"", {"location": to})
            case "/slow":
                pieces = _drip(await _paint("slow", 64, 64), _number(call, "pieces", 240, 2_000))
                return Answer(200, b"", png, pieces)
            case "/huge":
                pieces = _flood(await _paint("huge", 64, 64), _number(call, "megabytes", 26, 200))
                return Answer(200, b"", png, pieces)
            case "/bomb.png":
                return Answer(200, await asyncio.to_thread(_bomb), png)
            case "/page.png":
                return Answer(200, PAGE, png)
            case "/empty.png":
                return Answer(200, b"", png)
            case "/lie.png":
                lie = {"content-type": "text/html; charset=utf-8"}
                return Answer(200, await _paint("lie", SIDE, SIDE), lie)
            case "/":
                return Answer(200, (__doc__ or "").encode(), TEXT)
        return await self._picture(call)

    async def _picture(self, call: Call) -> Answer:
        name, _, ending = call.path.removeprefix("/").rpartition(".")
        if not name or ending not in KINDS:
            return Answer(404, b"There is nothing here.", TEXT)
        width, height = (_number(call, side, SIDE, MAX_SIDE) for side in ("w", "h"))
        output = KINDS[ending]
        content = await _paint(name, width, height, output)
        return Answer(200, content, {"content-type": TYPE_OF[output]})


def _number(call: Call, name: str, default: int, most: int) -> int:
    text = call.query.get(name, "")
    return max(1, min(int(text), most)) if text.isdecimal() else default


async def _paint(name: str, width: int, height: int, output: str = "png") -> bytes:
    return await asyncio.to_thread(paint, name, seed=0, width=width, height=height, output=output)


async def _drip(content: bytes, pieces: int) -> AsyncIterator[bytes]:
    for byte in content[:pieces]:
        yield bytes([byte])
        await asyncio.sleep(0.5)


async def _flood(start: bytes, megabytes: int) -> AsyncIterator[bytes]:
    yield start
    for _ in range(megabytes):
        yield bytes(MEGABYTE)


@cache
def _bomb() -> bytes:
    """A correct black PNG of one bit a pixel."""
    shape = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 1, 0, 0, 0, 0)
    rows = bytes((1 + BOMB_SIDE // 8) * BOMB_SIDE)
    chunks = ((b"IHDR", shape), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
