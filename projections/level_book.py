"""What became of level tokens that were burned for a higher one: each is a unit that was given up.

In the asset `LEVEL`, which counts tokens: delivered when the next one is minted (a compensation
too), in flight while it is owed. An unlock gives up nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.upgrade_events import BurnConfirmed, LevelMinted
from ledger.codec import Recorded
from projections.book import Line, Outcome

ASSET = "LEVEL"


@dataclass(slots=True)
class LevelBook:
    """Burns by attempt, where each was recorded, and which of them have their token."""

    burns: dict[str, Recorded] = field(default_factory=dict)
    minted: dict[str, LevelMinted] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, recorded: Recorded) -> None:
        match recorded.event:
            case BurnConfirmed(upgrade_id=id_):
                self.burns[id_] = recorded
                self.paid[ASSET] += 1
            case LevelMinted(upgrade_id=id_) as minted:
                self.minted[id_] = minted

    def lines(self) -> Iterable[Line]:
        for id_, recorded in self.burns.items():
            burn, minted = recorded.event, self.minted.get(id_)
            assert isinstance(burn, BurnConfirmed)
            outcome: Outcome = "delivered" if minted else "in_flight"
            for_ = f" for level {minted.level}" if minted else ""
            yield Line(
                event_id=recorded.id,
                position=recorded.position,
                what=f"upgrade {id_}, {burn.mint} burned{for_}",
                outcome=outcome,
                tx=burn.signature,
                asset=ASSET,
                amount=1,
            )
