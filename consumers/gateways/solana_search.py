"""Finds one transaction of an address among any number of others.

Anybody can name an address in transactions of his own, with whatever memo, so that neither the
newest nor the marked ones are sure to be ours. Each try reads so much and no more, and begins where
the one before left off: down from the newest, with a look at the oldest between. What happened
before the first try is found at last, however much comes after it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from consumers.gateways import solana_json as read
from consumers.gateways import solana_node as says
from consumers.gateways.json_rpc import Endpoint, NodeSilent
from consumers.gateways.ports import TryAgain

PAGE = 1_000
PAGES_AT_ONCE = 20
LOOKS = 25
"""Transactions that a walk reads in one try."""
SEARCHES_MAX = 500
"""Searches whose places are kept: of each up to four walks with about a page of signatures."""

Wanted = Callable[[read.Summary], bool]
Found = TypeVar("Found")


async def page(
    node: Endpoint, address: str, *, before: str = "", until: str = "", limit: int = PAGE
) -> list[read.Summary]:
    """Finalized transactions with this address in them, newest first: `limit` of those that are
    older than `before` (empty: the newest), down to `until`, which is not among them."""
    ends = {name: at for name, at in (("before", before), ("until", until)) if at}
    answer = await node.ask(
        "getSignaturesForAddress", [address, {"limit": limit, **says.FINALIZED, **ends}]
    )
    found = read.history(answer)
    in_order(node, found)
    return found


def in_order(node: Endpoint, found: list[read.Summary]) -> None:
    slots = [one.slot for one in found]
    if slots != sorted(slots, reverse=True):
        raise TryAgain(f"{node.name} does not tell the newest first")


@dataclass(slots=True)
class Walk:
    """Down a history, past what is `wanted`. `oldest`: only the last of it counts."""

    wanted: Wanted
    oldest: bool = False
    before: str = ""
    slot: int = 0
    ended: bool = False
    waiting: deque[str] = field(default_factory=deque)

    async def on(self, node: Endpoint, address: str) -> None:
        """Until enough waits to be looked at, or there is no more."""
        for _ in range(PAGES_AT_ONCE):
            if self.ended or (len(self.waiting) >= LOOKS and not self.oldest):
                return
            told = await page(node, address, before=self.before)
            if told and self.before and told[0].slot > self.slot:
                raise TryAgain(f"{node.name} does not tell the newest first")
            self.ended = len(told) < PAGE
            if told:
                self.before, self.slot = told[-1].signature, told[-1].slot
            self.waiting.extend(one.signature for one in told if one.succeeded and self.wanted(one))
            while self.oldest and len(self.waiting) > LOOKS:
                self.waiting.popleft()

    @property
    def ready(self) -> bool:
        return bool(self.waiting) and (self.ended or not self.oldest)


class Search:
    """One search at one endpoint. The kinds of what is `wanted` are looked through side by side, so
    that none has to wait for the end of another."""

    def __init__(self, kinds: tuple[Wanted, ...]) -> None:
        self._newest = [Walk(each) for each in kinds]
        self._oldest = [Walk(each, oldest=True) for each in kinds]

    @property
    def over(self) -> bool:
        return all(walk.ended and not walk.waiting for walk in self._newest)

    async def next(
        self, node: Endpoint, address: str, look: Callable[[str], Awaitable[Found | None]]
    ) -> Found | None:
        """None: not among what was looked at this time."""
        for down, up in zip(self._newest, self._oldest, strict=True):
            await down.on(node, address)
            if (found := await _looked(down, look)) is not None:
                return found
            if not (down.ended and not down.waiting):
                await up.on(node, address)
                if up.ready and (found := await _looked(up, look)) is not None:
                    return found
        return None


async def _looked(walk: Walk, look: Callable[[str], Awaitable[Found | None]]) -> Found | None:
    for _ in range(min(LOOKS, len(walk.waiting))):
        at = -1 if walk.oldest else 0
        try:
            found = await look(walk.waiting[at])
        except TryAgain as failure:
            if isinstance(failure, NodeSilent) or failure.error_class in ("throttled", "quota"):
                raise
            found = None  # one that cannot be read must not hide those behind it
        if found is not None:
            return found
        del walk.waiting[at]
    return None


class Searches:
    """What was searched for and not found yet."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], Search] = OrderedDict()

    async def find(
        self,
        what: str,
        node: Endpoint,
        address: str,
        kinds: tuple[Wanted, ...],
        look: Callable[[str], Awaitable[Found | None]],
    ) -> Found:
        """TryAgain when it is not found yet, or not there; then it is begun anew."""
        key = (what, node.name, address)
        search = self._kept.pop(key, None) or Search(kinds)
        try:
            found = await search.next(node, address, look)
        finally:
            # While it goes on it is nobody else's; one that came to its end begins anew.
            if not search.over:
                self._keep(key, search)
        if found is None:
            raise TryAgain(f"{node.name} does not tell which transaction {what} {address}")
        self._kept.pop(key, None)
        return found

    def _keep(self, key: tuple[str, str, str], search: Search) -> None:
        self._kept[key] = search
        if len(self._kept) > SEARCHES_MAX:
            self._kept.popitem(last=False)
