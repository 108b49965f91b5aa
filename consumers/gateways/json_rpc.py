"""JSON-RPC over HTTP, as chains speak it: one endpoint, asked one question at a time.

An endpoint is believed in nothing: its answer must be whole, small enough, and to our question.
What cannot be used is `TryAgain` with its class of spec `providers.md` §0, so that a caller never
tells a broken node from a busy one. URLs may hold keys, so failures name the host only.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from itertools import count
from typing import Any

import httpx
import orjson

from consumers.gateways.ports import ErrorClass, TryAgain

LARGEST_ANSWER_BYTES = 32 * 1024 * 1024

_THROTTLED = re.compile(r"\brate\b|too many requests|throttl|capacity|per second", re.IGNORECASE)
_QUOTA = re.compile(r"quota|daily|monthly|\bplan\b|payment required", re.IGNORECASE)
_TOO_LARGE = re.compile(
    r"range|too (many|large|big)|more than|exceed|limit|response size|query timeout", re.IGNORECASE
)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class NodeRefused(TryAgain):
    """The node answered with a JSON-RPC error; `data` is what it adds, None if nothing."""

    def __init__(self, reason: str, *, code: int, message: str, data: Any = None) -> None:
        after_s, error_class = _class_of_error(code, message)
        super().__init__(reason, after_s=after_s, error_class=error_class)
        self.code = code
        self.message = message
        self.data = data

    @property
    def too_large(self) -> bool:
        """More was asked in one question than the node answers; a smaller one may do."""
        if self.error_class in ("throttled", "quota"):
            return False
        return bool(_TOO_LARGE.search(self.message))


class NodeSilent(TryAgain):
    """No answer that can be used. `sent`: the node may have acted on the question all the same."""

    def __init__(
        self,
        reason: str,
        *,
        sent: bool,
        after_s: float = 1.0,
        error_class: ErrorClass = "transient",
    ) -> None:
        super().__init__(reason, after_s=after_s, error_class=error_class)
        self.sent = sent


class Endpoint:
    """One node. `ask` is the `result` of a call; TryAgain when there is none."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, timeout_s: float) -> None:
        self._client = client
        self._url = url
        self._timeout_s = timeout_s
        self._ids = count(1)
        self.name = httpx.URL(url).netloc.decode()

    async def ask(self, method: str, params: Sequence[object]) -> Any:
        number = next(self._ids)
        question = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        try:
            async with asyncio.timeout(self._timeout_s):
                status, retry_after, body = await self._post(orjson.dumps(question))
        except _NEVER_SENT as problem:
            raise NodeSilent(self._says(method, type(problem).__name__), sent=False) from problem
        except (TimeoutError, httpx.HTTPError) as problem:
            raise NodeSilent(self._says(method, type(problem).__name__), sent=True) from problem
        answer = _parsed(body)
        self._refuse_errors(method, answer)
        if status != 200:
            raise self._bad_status(method, status, retry_after)
        if answer is None or answer.get("id") != number or "result" not in answer:
            raise NodeSilent(self._says(method, "not a JSON-RPC answer"), sent=True)
        return answer["result"]

    async def _post(self, question: bytes) -> tuple[int, str, bytes]:
        headers = {"content-type": "application/json"}
        async with self._client.stream(
            "POST", self._url, content=question, headers=headers
        ) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise httpx.RemoteProtocolError("the answer is too long")
            return response.status_code, response.headers.get("retry-after", ""), bytes(body)

    def _refuse_errors(self, method: str, answer: dict[str, Any] | None) -> None:
        error = answer.get("error") if answer else None
        if not isinstance(error, dict):
            return
        code, message = error.get("code"), error.get("message")
        raise NodeRefused(
            self._says(method, f"{code} {str(message)[:200]}"),
            code=code if isinstance(code, int) else 0,
            message=str(message),
            data=error.get("data"),
        )

    def _bad_status(self, method: str, status: int, retry_after: str) -> NodeSilent:
        reason = self._says(method, f"HTTP {status}")
        if status == 429:
            after_s = float(retry_after) if retry_after.isdecimal() else 5.0
            return NodeSilent(reason, sent=False, after_s=after_s, error_class="throttled")
        if status == 402:
            return NodeSilent(reason, sent=False, after_s=60.0, error_class="quota")
        if 400 <= status < 500:
            return NodeSilent(reason, sent=False, after_s=30.0, error_class="invalid")
        return NodeSilent(reason, sent=True)

    def _says(self, method: str, what: str) -> str:
        return f"{self.name} {method}: {what}"


def _class_of_error(code: int, message: str) -> tuple[float, ErrorClass]:
    if code == 429 or _THROTTLED.search(message):
        return 5.0, "throttled"
    if _QUOTA.search(message):
        return 60.0, "quota"
    if code in (-32700, -32600, -32601, -32602):
        return 30.0, "invalid"
    return 1.0, "transient"


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None
