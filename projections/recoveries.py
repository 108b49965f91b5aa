"""recoveries: money that arrived and cannot be what was asked for; an operator's list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from domain.order_events import (
    PaymentEvent,
    PaymentRejected,
    PaymentRetracted,
    PaymentSettled,
    PaymentSurplusRecorded,
)
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class Case:
    """One transaction of one order. `kind`: overpaid, or why it was rejected. `status`: open, or
    withdrawn when a reorg took the money away or it came to pay the price after all; it opens again
    when that changes.
    """

    kind: str
    stream: str
    pass_id: str
    opened_at: datetime
    position: int
    tx: str
    payer: str
    amount: int
    status: str = "open"


class Recoveries(Projection[Case]):
    name = "recoveries"
    version = 2
    topics = topics_of(PaymentSettled, PaymentRejected, PaymentSurplusRecorded, PaymentRetracted)
    state = Case

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, PaymentEvent | PaymentRetracted)
        return (f"{event.stream}/{event.tx_hash}",)

    def fold(self, key: str, state: Case | None, recorded: Recorded) -> Case | None:
        event = recorded.event
        if isinstance(event, PaymentRetracted):
            return replace(state, amount=0, status="withdrawn") if state else None
        assert isinstance(event, PaymentEvent)
        if isinstance(event, PaymentSettled) and not int(event.refund_due):
            return replace(state, amount=0, status="withdrawn") if state else None
        known = state or Case(
            kind=event.reason if isinstance(event, PaymentRejected) else "overpaid",
            stream=recorded.stream,
            pass_id=recorded.metadata.get("pass_id", ""),
            opened_at=recorded.recorded_at,
            position=recorded.position,
            tx=event.tx_hash,
            payer=event.payer,
            amount=0,
        )
        due = event.refund_due if isinstance(event, PaymentSettled) else event.amount
        return replace(known, amount=known.amount + int(due), status="open")

    def record(self, key: str, state: Case) -> dict[str, Any]:
        return {
            "case_id": key,
            "kind": state.kind,
            "stream": state.stream,
            "pass_id": state.pass_id,
            "opened_at": state.opened_at.isoformat(),
            "position": state.position,
            "status": state.status,
            "facts": {"tx": state.tx, "payer": state.payer, "amount": str(state.amount)},
            "state": msgspec.json.encode(state).decode(),
        }
