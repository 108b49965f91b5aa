"""What a statement is made of: amounts with an outcome, and the books that keep them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ledger.codec import Recorded

Outcome = Literal["delivered", "credit", "refund_due", "refunded", "expired", "in_flight"]
OUTCOMES: tuple[Outcome, ...] = (
    "delivered",
    "credit",
    "refund_due",
    "refunded",
    "expired",
    "in_flight",
)

ATOMS = {"SOL": "lamports"}
"""What amounts count, where it has a name of its own."""


@dataclass(frozen=True, slots=True)
class Line:
    """One amount with one outcome; `event_id` and `tx` are of the payment it is part of."""

    event_id: str
    position: int
    what: str
    outcome: Outcome
    tx: str
    asset: str
    amount: int

    def spoken(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "position": self.position,
            "what": f"{self.what}: {self.amount} {ATOMS.get(self.asset, self.asset)}",
            "outcome": self.outcome,
            "tx": self.tx,
        }


class Book(Protocol):
    """One product's orders. `paid` by asset is counted from the events alone, the lines from the
    state they lead to, so that each checks the other."""

    @property
    def paid(self) -> Mapping[str, int]: ...

    def add(self, recorded: Recorded) -> None: ...

    def lines(self) -> Iterable[Line]: ...
