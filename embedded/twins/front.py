"""One twin on one port: its control plane under `/_twin/`, and the vendor's own paths.

The control plane is `contract.md` §11: `POST /_twin/script`, `GET /_twin/script`,
`GET /_twin/ledger`, `POST /_twin/reset`, and `POST /_twin/clock {advance_s}` → `{now}`. Both planes
answer with and without the vendor's base path, because a caller may have been given either. A twin
may have control calls of its own beside these: `Steered`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol, runtime_checkable
from urllib.parse import parse_qsl

from embedded.twins.journal import Journal
from embedded.twins.script import Advance, Rule, Script, ScriptRefused, parse
from embedded.twins.wire import (
    Answer,
    BodyTooLarge,
    Call,
    Receive,
    Scope,
    Send,
    hang_up,
    read_body,
    send_answer,
    send_cut,
)

CONTROL = "/_twin/"


class Twin(Protocol):
    """A vendor. `base_path` stands before every path of its API, as in `https://host/v1`."""

    name: str
    base_path: str

    async def answer(self, call: Call) -> Answer: ...


@runtime_checkable
class Steered(Protocol):
    """A twin with control calls of its own, as `POST /_twin/token`; None: no such call here.

    A malformed one raises `ScriptRefused`, as `script.parse` does.
    """

    async def control(self, call: Call) -> Answer | None: ...


@runtime_checkable
class Forgetful(Protocol):
    """A twin that `POST /_twin/reset` makes forget how it was steered."""

    def forget(self) -> None: ...


class Front:
    """An ASGI application: control calls, scripted calls, plain calls, in this order."""

    def __init__(self, twin: Twin, journal: Journal) -> None:
        self.twin = twin
        self.journal = journal
        self.script = Script()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"The {self.twin.name} twin speaks HTTP only.")
        try:
            call = self._call(scope, await read_body(receive))
        except BodyTooLarge:
            await send_answer(send, Answer.json(413, {"detail": "The body is over 64 MiB."}))
            return
        if call.path.startswith(CONTROL):
            await send_answer(send, await self._control(call))
            return
        rule = self.script.take(call)
        if rule is None:
            await send_answer(send, await self.twin.answer(call))
        else:
            await self._play(rule, call, scope, receive, send)

    async def _play(
        self, rule: Rule, call: Call, scope: Scope, receive: Receive, send: Send
    ) -> None:
        answer = Answer(200)
        if rule.reaches_vendor:
            call = replace(call, performs=rule.performs)
            answer = await self.twin.answer(call)
            for _ in range(int(rule.duplicate)):
                await self.twin.answer(call)
        if rule.response is not None:
            answer = rule.response.answer()
        await asyncio.sleep(rule.delay_ms / 1000)
        cut = rule.truncate_body_at
        if rule.drop is not None:
            await hang_up(scope, receive)
        elif cut is not None and cut < len(answer.body):
            await send_cut(scope, receive, send, answer, length=cut)
        else:
            await send_answer(send, answer)

    def _call(self, scope: Scope, body: bytes) -> Call:
        path: str = scope["path"]
        base = self.twin.base_path
        below = path.removeprefix(base) if path.startswith(f"{base}/") else path
        host, port = scope["server"]
        return Call(
            method=scope["method"],
            path=below,
            full_path=f"{base}{below}",
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
            headers={
                name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]
            },
            body=body,
            origin=f"{scope['scheme']}://{host}:{port}",
            journal=self.journal,
        )

    async def _control(self, call: Call) -> Answer:
        try:
            match call.method, call.path.removeprefix(CONTROL):
                case "POST", "script":
                    self.script.add(parse(Rule, call.body))
                    return Answer.json(200, {"queued": len(self.script.queued())})
                case "GET", "script":
                    return Answer.json(200, {"items": self.script.queued()})
                case "GET", "ledger":
                    return Answer.json(200, {"items": self.journal.items})
                case "POST", "reset":
                    if isinstance(self.twin, Forgetful):
                        self.twin.forget()
                    return Answer.json(200, {"forgotten": self.script.forget()})
                case "POST", "clock":
                    now = self.journal.advance(parse(Advance, call.body).advance_s)
                    return Answer.json(200, {"now": now.isoformat().replace("+00:00", "Z")})
            own = await self.twin.control(call) if isinstance(self.twin, Steered) else None
        except ScriptRefused as refused:
            return Answer.json(422, {"detail": str(refused)})
        return own or Answer.json(404, {"detail": "The control plane has no such call."})
