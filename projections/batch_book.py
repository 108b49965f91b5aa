"""What became of what was paid in SOL for batches: a token, a credit, or on its way to one.

In two assets: `SOL` counts lamports, `PFP` the units that they paid for. A unit paid with a credit
was counted when that credit was bought; which of a pass's batches mints it does not matter here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.batch import Batch
from domain.batch_events import BatchEvent, BatchPaid
from ledger.codec import Recorded
from projections.book import Line, Outcome


@dataclass(slots=True)
class BatchBook:
    """The batches of a pass, and where each payment was recorded."""

    batches: dict[str, Batch] = field(default_factory=dict)
    arrivals: dict[str, Recorded] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, recorded: Recorded) -> None:
        event = recorded.event
        if not isinstance(event, BatchEvent):
            return
        known = self.batches.get(event.batch_id, Batch())
        if isinstance(event, BatchPaid) and int(event.lamports):
            self.paid["SOL"] += int(event.lamports)
            self.paid["PFP"] += event.paid_units
            self.arrivals[event.batch_id] = recorded
        self.batches[event.batch_id] = known.evolve(event)

    def lines(self) -> Iterable[Line]:
        """Each paid unit gets one outcome: as many are delivered as tokens were minted, as many in
        flight as are at work, first paid first served; the rest are credits."""
        delivered = sum(len(batch.minted) for batch in self.batches.values())
        at_work = sum(len(batch.in_work) for batch in self.batches.values() if batch.paid)
        outcomes: list[Outcome] = ["delivered" for _ in range(delivered)]
        outcomes += ["in_flight" for _ in range(at_work)]
        for batch_id, recorded in self.arrivals.items():
            batch, paid = self.batches[batch_id], recorded.event
            assert isinstance(paid, BatchPaid)
            mine, outcomes = outcomes[: paid.paid_units], outcomes[paid.paid_units :]
            mine += ["credit" for _ in range(paid.paid_units - len(mine))]
            for outcome, count in Counter(mine).items():
                yield _line(recorded, paid, outcome, "PFP", count)
                yield _line(recorded, paid, outcome, "SOL", count * batch.price)
            if due := int(paid.refund_due):
                yield _line(recorded, paid, "refund_due", "SOL", due)


def _line(recorded: Recorded, paid: BatchPaid, outcome: Outcome, asset: str, amount: int) -> Line:
    return Line(
        event_id=recorded.id,
        position=recorded.position,
        what=f"batch {paid.batch_id}",
        outcome=outcome,
        tx=paid.signature,
        asset=asset,
        amount=amount,
    )
