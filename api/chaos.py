"""X-Chaos, in development only: the faults that frontends must survive (`contract.md` §11)."""

from __future__ import annotations

import asyncio
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DELAY_MAX_MS = 60_000
_delay = re.compile(r"delay=(\d{1,6})")


class Chaos:
    """`drop-response-after-commit`, `delay=MS`, `duplicate`; anything else is ignored."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said = Headers(scope=scope).get("x-chaos") if scope["type"] == "http" else None
        if said is None:
            await self._app(scope, receive, send)
        elif delay := _delay.fullmatch(said):
            await asyncio.sleep(min(int(delay[1]), DELAY_MAX_MS) / 1000)
            await self._app(scope, receive, send)
        elif said == "duplicate":
            await self._twice(scope, receive, send)
        elif said == "drop-response-after-commit":
            await self._dropped(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _twice(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The same request arrives two times; the second answer is the one that is heard."""
        heard: list[Message] = []
        while not heard or heard[-1].get("more_body"):
            heard.append(await receive())
        await self._app(_copy(scope), _replay(heard, receive), _unheard)
        await self._app(_copy(scope), _replay(heard, receive), send)

    async def _dropped(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Everything is done, then the connection breaks instead of an answer."""
        await self._app(scope, receive, _unheard)
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError("X-Chaos: drop-response-after-commit")
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            continue


async def _unheard(_: Message) -> None:
    return


def _copy(scope: Scope) -> Scope:
    return {**scope, "state": dict(scope.get("state", {}))}


def _replay(heard: list[Message], receive: Receive) -> Receive:
    left = iter(heard)

    async def again() -> Message:
        return next(left, None) or await receive()

    return again
