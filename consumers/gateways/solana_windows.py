"""The transactions of an address after one of them, oldest first, a window at a time.

Nodes tell the newest first, so that after a long pause the way down to the mark is long itself.
Its pages' ends are noted on the way, over several calls if it takes them; then each window lies
below one such end. The ends are one endpoint's word and decide nothing but how much is asked at
once: what lies in a window all endpoints have to say alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from consumers.gateways import solana_json as read
from consumers.gateways import solana_node as says
from consumers.gateways.json_rpc import Endpoint
from consumers.gateways.ports import TryAgain
from consumers.gateways.solana_rpc import SolanaRpc
from consumers.gateways.solana_search import PAGE, PAGES_AT_ONCE, page

STEP = PAGE - 1
"""Of a way down: a window that is a whole page does not reach the mark."""


@dataclass(slots=True)
class Way:
    """Down to `mark`; `ends` are the oldest of its pages, the last one nearest to the mark."""

    mark: str
    ends: list[read.Summary] = field(default_factory=list)
    whole: bool = False


class Windows:
    """Of one address, for one reader at a time."""

    def __init__(self, chain: SolanaRpc, address: str) -> None:
        self._chain, self._address = chain, address
        self._way = Way("")

    async def after(self, mark: str) -> list[list[read.Summary]]:
        """What each endpoint tells, newest first, as far as all of them have come; they name the
        same. TryAgain while the way to the mark is not known, and when they disagree."""
        if self._way.mark != mark:
            self._way = Way(mark)
        while self._way.ends:
            await self._go_down()
            told = await self._told(self._way.ends[-1].signature)
            if any(told):
                return _alike(told)
            self._way.ends.pop()
        told = await self._told("")
        if not all(told):
            return []
        full = next((each for each in told if len(each) == PAGE), None)
        if full is None:
            return _alike(_reached(told))
        # From its middle, so that something lies below.
        self._way = Way(mark, [full[PAGE // 2]])
        return await self.after(mark)

    def move(self, mark: str, *, all_of_it: bool) -> None:
        """The reader has come to `mark`, and so to the end of the window or not."""
        self._way.mark = mark
        if all_of_it and self._way.ends:
            self._way.ends.pop()

    async def _go_down(self) -> None:
        for _ in range(PAGES_AT_ONCE):
            if self._way.whole:
                return
            last = self._way.ends[-1]
            told = await self._chain.first(partial(self._page, before=last.signature, limit=STEP))
            if told and told[0].slot > last.slot:
                raise TryAgain("an endpoint does not tell the newest first")
            self._way.whole = len(told) < STEP
            if not self._way.whole:
                self._way.ends.append(told[-1])
        if not self._way.whole:
            far = len(self._way.ends) * STEP
            raise TryAgain(f"more than {far} of our transactions are to be read, and it goes on")

    async def _told(self, before: str) -> list[list[read.Summary]]:
        told = await self._chain.all_say(partial(self._page, before=before, limit=PAGE))
        if before and any(len(each) == PAGE for each in told):
            self._way = Way(self._way.mark)
            raise TryAgain("the way down to the mark was told wrong", after_s=2.0)
        return told

    async def _page(self, node: Endpoint, before: str, limit: int) -> list[read.Summary]:
        """A node that does not know the transaction to stop at would tell everything."""
        mark = self._way.mark
        if mark and await says.finalized_fate(node, mark) is None:
            raise TryAgain(f"{node.name} does not know {mark}", after_s=2.0)
        return await page(node, self._address, before=before, until=mark, limit=limit)


def _reached(told: list[list[read.Summary]]) -> list[list[read.Summary]]:
    """Up to the slot that all endpoints have come to."""
    reached = min(each[0].slot for each in told)
    return [[one for one in each if one.slot <= reached] for each in told]


def _alike(told: list[list[read.Summary]]) -> list[list[read.Summary]]:
    names = [{one.signature for one in each} for each in told]
    if any(each != names[0] for each in names):
        raise TryAgain("the endpoints disagree about our transactions", after_s=2.0)
    return told
