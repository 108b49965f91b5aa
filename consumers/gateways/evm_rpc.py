"""JSON-RPC over HTTP: one node, and what several nodes say together.

A node is believed in nothing: its answer must be whole, small enough, and to our question. What
cannot be used is `TryAgain` with its class of spec `providers.md` §0, so that a caller never tells
a broken node from a busy one. URLs may hold keys, so failures name the host only.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Any, TypeVar

import httpx
import orjson

from consumers.gateways.ports import ErrorClass, Failure, TryAgain, WillNotWork

LARGEST_ANSWER_BYTES = 32 * 1024 * 1024
QUORUM = 2

_THROTTLED = re.compile(r"\brate\b|too many requests|throttl|capacity|per second", re.IGNORECASE)
_QUOTA = re.compile(r"quota|daily|monthly|\bplan\b|payment required", re.IGNORECASE)
_TOO_LARGE = re.compile(
    r"range|too (many|large|big)|more than|exceed|limit|response size|query timeout", re.IGNORECASE
)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Answer = TypeVar("Answer")


class NodeRefused(TryAgain):
    """The node answered with a JSON-RPC error."""

    def __init__(self, reason: str, *, code: int, message: str) -> None:
        after_s, error_class = _class_of_error(code, message)
        super().__init__(reason, after_s=after_s, error_class=error_class)
        self.code = code
        self.message = message

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


class Node:
    """One endpoint of one chain; its chain id is checked before anything else is asked."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, *, chain_id: int, timeout_s: float
    ) -> None:
        self._client = client
        self._url = url
        self._chain_id = chain_id
        self._timeout_s = timeout_s
        self._ids = count(1)
        self._is_our_chain = False
        self.name = httpx.URL(url).netloc.decode()

    async def call(self, method: str, *params: object) -> Any:
        """The `result` of a call; TryAgain, or WillNotWork when the node is on another chain."""
        if not self._is_our_chain:
            answer = await self._ask("eth_chainId", ())
            if answer != hex(self._chain_id):
                raise WillNotWork(f"{self.name} is on chain {answer!r}, not {self._chain_id}")
            self._is_our_chain = True
        return await self._ask(method, params)

    async def _ask(self, method: str, params: Sequence[object]) -> Any:
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


class Nodes:
    """All configured endpoints of a chain. Two that say the same are believed, one alone is not.

    With a single endpoint configured there is nothing to compare it with, and it is believed.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_id: int,
        timeout_s: float,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """`client` in place of one of our own, for who only asks; it is closed with us."""
        distinct = list(dict.fromkeys(urls))
        if not distinct:
            raise ValueError("no RPC endpoint was given")
        own: Any = {"timeout": timeout_s, "follow_redirects": False, "trust_env": False}
        self._client = client or httpx.AsyncClient(**own)
        self.each = tuple(
            Node(self._client, url, chain_id=chain_id, timeout_s=timeout_s) for url in distinct
        )
        self.quorum = min(QUORUM, len(distinct))

    async def aclose(self) -> None:
        await self._client.aclose()

    async def agreed(self, ask: Callable[[Node], Awaitable[Answer]]) -> Answer:
        """The first answer that as many nodes as the quorum gave; TryAgain while there is none."""

        def found(answers: list[Answer]) -> bool:
            return answers.count(answers[-1]) >= self.quorum

        answers = await self._gather(ask, found)
        return answers[-1]

    async def several(self, ask: Callable[[Node], Awaitable[Answer]]) -> list[Answer]:
        """The first answers, as many as the quorum, which need not be equal."""
        return await self._gather(ask, lambda answers: len(answers) >= self.quorum)

    async def _gather(
        self,
        ask: Callable[[Node], Awaitable[Answer]],
        enough: Callable[[list[Answer]], bool],
    ) -> list[Answer]:
        tasks = [asyncio.ensure_future(ask(node)) for node in self.each]
        answers: list[Answer] = []
        failures: list[Failure] = []
        try:
            for task in asyncio.as_completed(tasks):
                try:
                    answers.append(await task)
                except Failure as failure:
                    failures.append(failure)
                    continue
                if enough(answers):
                    return answers
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        raise _no_quorum(len(answers), failures)


def _no_quorum(answers: int, failures: list[Failure]) -> Failure:
    for failure in failures:
        if isinstance(failure, WillNotWork):
            return failure
    if not failures:
        return TryAgain("the nodes disagree", after_s=2.0)
    if not answers and len(failures) == 1:
        return failures[0]
    after_s = max(each.after_s for each in failures if isinstance(each, TryAgain))
    reasons = "; ".join(each.reason for each in failures)
    return TryAgain(
        f"too few nodes agree: {reasons}", after_s=after_s, error_class=failures[0].error_class
    )


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
