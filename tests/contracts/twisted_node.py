"""A node that lies, fails or dawdles: an HTTP server between a gateway and a real node.

`twist` sees each question and the real answer's result and gives the result to tell instead, or
raises one of the faults below. Without a twist the node is honest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import httpx

Question = dict[str, Any]
Twist = Callable[[Question, Any], Any]


class Fault(Exception):
    """Instead of an answer."""


@dataclass
class Raw(Fault):
    """These bytes as the body, with this status and these headers."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Dropped(Fault):
    """The connection closes after the question was carried out, without a byte of answer."""


class Cut(Fault):
    """Half of the body, then the connection closes."""


class Silence(Fault):
    """Nothing, until the one who asked gives up."""


def error(code: int, message: str, status: int = 200) -> Raw:
    body = {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message}}
    return Raw(json.dumps(body).encode(), status)


def on(method: str, change: Callable[[Any], Any]) -> Twist:
    """Tell something else when asked for `method`; `change` may alter a copy or make a new one."""

    def twist(question: Question, result: Any) -> Any:
        return change(deepcopy(result)) if question["method"] == method else result

    return twist


def failing(fault: Fault, *methods: str) -> Twist:
    def twist(question: Question, result: Any) -> Any:
        if not methods or question["method"] in methods:
            raise fault
        return result

    return twist


@dataclass
class TwistedNode:
    """`url` to give to a gateway; `asked` the methods it was asked for, in order."""

    url: str
    behind: str
    twist: Twist
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with httpx.AsyncClient(timeout=10) as real:
                while question := await _question(reader):
                    self.asked.append(question["method"])
                    await self._answer(question, real, reader, writer)
                    if writer.is_closing():
                        return
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _answer(
        self,
        question: Question,
        real: httpx.AsyncClient,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        told = (await real.post(self.behind, json=question)).json()
        try:
            if "result" in told:
                told["result"] = self.twist(question, told["result"])
            writer.write(_reply(json.dumps(told).encode()))
        except Raw as raw:
            body = raw.body.replace(b'"id": 1,', f'"id": {question["id"]},'.encode())
            writer.write(_reply(body, raw.status, raw.headers))
        except Dropped:
            writer.close()
        except Cut:
            whole = _reply(json.dumps(told).encode())
            writer.write(whole[: len(whole) - len(json.dumps(told)) // 2])
            writer.close()
        except Silence:
            await reader.read()
        await writer.drain()


@asynccontextmanager
async def twisted_node(behind: str, twist: Twist | None = None) -> AsyncIterator[TwistedNode]:
    """Serve on a free port until the block ends."""
    node = TwistedNode("", behind, twist or (lambda _, result: result))
    server = await asyncio.start_server(node.serve, "127.0.0.1", 0)
    node.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield node


async def _question(reader: asyncio.StreamReader) -> Question | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    length = next(int(value) for name, _, value in lines if name == b"content-length")
    question: Question = json.loads(await reader.readexactly(length))
    return question


def _reply(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    fields = {"content-type": "application/json", "content-length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in (fields | (headers or {})).items()]
    return "\r\n".join([f"HTTP/1.1 {status} Told", *lines, "", ""]).encode() + body
