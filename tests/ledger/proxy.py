"""A TCP proxy in front of PostgreSQL that can lose an answer, a request, or everything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

Fault = Literal["none", "lose the answer", "lose the request"]


class Proxy:
    """`url` leads through it. `fault` is what happens to the next request, whoever sends it."""

    def __init__(self, url: str) -> None:
        there = conninfo_to_dict(url)
        self._behind = (str(there["host"]), int(str(there["port"])))
        self._target = url
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.fault: Fault = "none"
        self.url = ""

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = make_conninfo(self._target, host="127.0.0.1", port=port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Takes no more connections and cuts those there are."""
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        for writer in self._pipes:
            writer.transport.abort()
        self._pipes.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection(*self._behind)
        doomed = asyncio.Event()

        async def request(data: bytes) -> bool:
            fault, self.fault = self.fault, "none"
            if fault == "lose the request":
                return False
            if fault == "lose the answer":
                doomed.set()
            there.write(data)
            return True

        async def answer(data: bytes) -> bool:
            if doomed.is_set():
                return False
            writer.write(data)
            return True

        self._pipes |= {writer}
        for work in (_pump(reader, request), _pump(there_reader, answer)):
            task = asyncio.create_task(self._until_either_ends(work, writer, there))
            self._tasks.add(task)

    async def _until_either_ends(
        self, work: Awaitable[None], writer: asyncio.StreamWriter, there: asyncio.StreamWriter
    ) -> None:
        try:
            await work
        finally:
            self._pipes.discard(writer)
            writer.close()
            there.close()


async def _pump(reader: asyncio.StreamReader, each: Callable[[bytes], Awaitable[bool]]) -> None:
    try:
        while data := await reader.read(65_536):
            if not await each(data):
                return
    except ConnectionError:
        return
