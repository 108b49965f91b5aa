"""recoveries: money that arrived and cannot be what was asked for; an operator's list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from domain.order_events import PaymentEvent, PaymentRejected, PaymentSurplusRecorded
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class Case:
    """`kind`: foreign_payer, amount_too_low, overpaid."""

    kind: str
    stream: str
    pass_id: str
    opened_at: datetime
    position: int
    facts: dict[str, Any]


class Recoveries(Projection[Case]):
    name = "recoveries"
    topics = topics_of(PaymentRejected, PaymentSurplusRecorded)
    state = Case

    def keys(self, recorded: Recorded) -> Iterable[str]:
        return (recorded.id,)

    def fold(self, key: str, state: Case | None, recorded: Recorded) -> Case:
        event = recorded.event
        assert isinstance(event, PaymentEvent)
        kind = event.reason if isinstance(event, PaymentRejected) else "overpaid"
        return Case(
            kind=kind,
            stream=recorded.stream,
            pass_id=recorded.metadata.get("pass_id", ""),
            opened_at=recorded.recorded_at,
            position=recorded.position,
            facts={"tx": event.tx_hash, "payer": event.payer, "amount": event.amount},
        )

    def record(self, key: str, state: Case) -> dict[str, Any]:
        return {
            "case_id": key,
            "kind": state.kind,
            "stream": state.stream,
            "pass_id": state.pass_id,
            "opened_at": state.opened_at.isoformat(),
            "position": state.position,
            "facts": state.facts,
            "state": msgspec.json.encode(state).decode(),
        }
