"""One call to a vendor ends, whatever the vendor does."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from consumers.gateways.ports import TryAgain
from consumers.gateways.web import get_once


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, until the caller leaves."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    left = asyncio.ensure_future(reader.read())
    while not left.done():
        writer.write(b".")
        await asyncio.wait({left}, timeout=0.01)
    writer.close()


async def test_an_answer_that_drips_is_given_up() -> None:
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, httpx.AsyncClient() as client, asyncio.timeout(10):
        with pytest.raises(TryAgain, match="never ends"):
            await get_once(client, url, vendor="x", read_timeout_s=0.05)
