"""One twin on a socket of its own, in this process: for tests that have an event loop anyway."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from embedded.twins.front import Front, Twin
from embedded.twins.journal import Journal
from embedded.twins.wire import BreakableProtocol


@dataclass
class Alone:
    """`url` is the twin's base URL; `client` asks it."""

    url: str
    client: httpx.AsyncClient

    async def steer(self, name: str, body: Any) -> Any:
        answer = await self.client.post(f"/_twin/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def alone(twin: Twin, folder: Path | None = None) -> AsyncIterator[Alone]:
    journal = Journal(twin.name, folder)
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        chosen.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url = f"http://127.0.0.1:{chosen.getsockname()[1]}"
        config = uvicorn.Config(
            Front(twin, journal),
            http=BreakableProtocol,
            lifespan="off",
            log_config=None,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[chosen]))
        await server.listening.wait()
        try:
            async with httpx.AsyncClient(base_url=url) as client:
                yield Alone(url, client)
        finally:
            server.should_exit = True
            await running
            journal.close()


class _Server(uvicorn.Server):
    """Says when it listens, and takes no signals from the test run."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()
