"""Wishing for one token: repeated, also after a crash in the middle, it is still one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from commands.batch_mints import RequestMint
from commands.command import Answer, KeyReused, Seen
from domain.batch_events import PfpMintRequested
from domain.claim import Claim, mint_claim
from domain.event import Event


class WishForToken(RequestMint):
    """Opens the next unit once for each `wish`; answers with its index, 0 when there is none."""

    wish: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield mint_claim(self.wish)
        yield from super().reads(seen)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        if known := self._claim(seen).holder:
            if known.rpartition("/")[0] != self.stream:
                raise KeyReused()
            return []
        claim, asked = mint_claim(self.wish), super().decide(seen, at)
        units = [event.index for event in asked if isinstance(event, PfpMintRequested)]
        taken = (Claim().take(claim, f"{self.stream}/{index}") for index in units)
        return [*asked, *(event for each in taken for event in each)]

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"index": int(self._claim(seen).holder.rpartition("/")[2] or 0)})

    def _claim(self, seen: Seen) -> Claim:
        return seen.get(Claim, mint_claim(self.wish))
