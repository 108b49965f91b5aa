"""The nodes of an EVM chain: each on the right chain, and what several of them say together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx

from consumers.gateways.json_rpc import Endpoint
from consumers.gateways.ports import Failure, TryAgain, WillNotWork

QUORUM = 2

Answer = TypeVar("Answer")


class Node(Endpoint):
    """One endpoint of one chain; its chain id is checked before anything else is asked."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, *, chain_id: int, timeout_s: float
    ) -> None:
        super().__init__(client, url, timeout_s=timeout_s)
        self._chain_id = chain_id
        self._is_our_chain = False

    async def call(self, method: str, *params: object) -> Any:
        """The `result` of a call; TryAgain, or WillNotWork when the node is on another chain."""
        if not self._is_our_chain:
            answer = await self.ask("eth_chainId", ())
            if answer != hex(self._chain_id):
                raise WillNotWork(f"{self.name} is on chain {answer!r}, not {self._chain_id}")
            self._is_our_chain = True
        return await self.ask(method, params)


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
