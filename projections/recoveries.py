"""recoveries: what was paid or burned and is not what was asked for; an operator's list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from domain.batch_events import BatchPaid
from domain.geoplet_view import failed_case, surplus_case
from domain.matcha_events import MatchaClawedBack
from domain.order_events import (
    PaymentEvent,
    PaymentRejected,
    PaymentRetracted,
    PaymentSettled,
    PaymentSurplusRecorded,
)
from domain.shop_order_events import ShopOrderEvent
from domain.upgrade_events import UpgradeEvent
from domain.x402_events import (
    X402OrderFailed,
    X402PaymentEvent,
    X402PaymentRetracted,
    X402PaymentSettled,
    X402PaymentSurplusRecorded,
)
from ledger.codec import Recorded
from projections.projection import Projection
from projections.shop_cases import SHOP_TOPICS, opens_shop_case, shop_case_key
from projections.topics import topics_of
from projections.upgrade_cases import TOPICS, Tries, case_keys, closes, fold_tries, opens


@dataclass(frozen=True, slots=True)
class Case:
    """What one transaction, or the end of one order, leaves to an operator. `kind`: overpaid, why
    a payment was rejected, why an order failed, what became of a level token, or that matcha was
    refunded which is used. `status`: open, withdrawn when a reorg took the money away or it came to
    pay the price after all (it opens again when that changes), or resolved.
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
    dues: dict[int, int] = field(default_factory=dict)
    """What each payment in the transaction leaves due, by its log index."""
    tries: Tries | None = None
    """Only of level tokens."""


class Recoveries(Projection[Case]):
    name = "recoveries"
    version = 9
    topics = topics_of(
        PaymentSettled,
        PaymentRejected,
        PaymentSurplusRecorded,
        PaymentRetracted,
        X402PaymentSettled,
        X402PaymentSurplusRecorded,
        X402PaymentRetracted,
        X402OrderFailed,
        BatchPaid,
        MatchaClawedBack,
        *TOPICS,
        *SHOP_TOPICS,
    )
    state = Case

    def keys(self, recorded: Recorded) -> Iterable[str]:
        match recorded.event:
            case UpgradeEvent() as event:
                return case_keys(event)
            case ShopOrderEvent() as event:
                return (shop_case_key(event),)
            case BatchPaid(refund_due="0"):
                return ()
            case MatchaClawedBack(lot_id=lot_id):
                return (f"{lot_id}/matcha_owed",)
            case BatchPaid() as event:
                return (f"{event.stream}/{event.signature}",)
            case PaymentEvent() | PaymentRetracted() as event:
                return (f"{event.stream}/{event.tx_hash}",)
            case X402PaymentSurplusRecorded() as event:
                return (surplus_case(event.stream, event.nonce),)
            case X402PaymentEvent() as event:
                return (surplus_case(event.stream, event.nonce), failed_case(event.stream))
        return (failed_case(recorded.stream),)

    def fold(self, key: str, state: Case | None, recorded: Recorded) -> Case | None:
        if isinstance(recorded.event, UpgradeEvent):
            return _of_level(key, state, recorded)
        if isinstance(recorded.event, ShopOrderEvent):
            return _of_shop(key, state, recorded.event, recorded)
        if key == failed_case(recorded.stream):
            return _of_failed(state, recorded)
        match recorded.event:
            case PaymentRetracted() | X402PaymentRetracted() | X402PaymentSettled():
                return replace(state, amount=0, dues={}, status="withdrawn") if state else None
            case BatchPaid(signature=signature, wallet=wallet, refund_due=due):
                return _due(_opened(recorded, "no_slots_left", signature, wallet), 0, due)
            case PaymentSettled(refund_due="0") | MatchaClawedBack(owed=0) if state is None:
                return None
            case MatchaClawedBack(reference=reference, pass_id=pass_id, owed=owed):
                known = state or _opened(recorded, "matcha_owed", reference, "")
                return _due(replace(known, pass_id=pass_id), 0, str(owed))
            case PaymentSettled() as event:
                known = state or _opened(recorded, "overpaid", event.tx_hash, event.payer)
                return _due(known, event.log_index, event.refund_due)
            case PaymentRejected() as event:
                known = state or _opened(recorded, event.reason, event.tx_hash, event.payer)
                return _due(known, event.log_index, event.amount)
            case PaymentSurplusRecorded() | X402PaymentSurplusRecorded() as event:
                known = state or _opened(recorded, "overpaid", event.tx_hash, event.payer)
                return _due(known, event.log_index, event.amount)
        return state

    def record(self, key: str, state: Case) -> dict[str, Any]:
        tries, money = state.tries, {"tx": state.tx, "payer": state.payer}
        at = tries.next_try_at if tries else None
        return {
            "case_id": key,
            "kind": state.kind,
            "stream": state.stream,
            "pass_id": state.pass_id,
            "opened_at": state.opened_at.isoformat(),
            "position": state.position,
            "status": state.status,
            "attempts": tries.attempts if tries else 0,
            "next_try_at": at.isoformat() if at else None,
            "facts": tries.facts if tries else {**money, "amount": str(state.amount)},
            "state": msgspec.json.encode(state).decode(),
        }


def _of_failed(state: Case | None, recorded: Recorded) -> Case | None:
    """The case of an order that ended: what is due for it comes and goes with what was paid."""
    match recorded.event:
        case X402OrderFailed() as event:
            return _more(_opened(recorded, event.error_code, event.tx_hash, ""), event.refund_due)
        case X402PaymentRetracted(tx_hash=tx) if state and state.amount and state.tx == tx:
            return replace(state, amount=0, status="withdrawn")
        case X402PaymentSettled() as event if state and state.status == "withdrawn":
            return _more(replace(state, tx=event.tx_hash), event.amount)
    return state


def _of_level(key: str, state: Case | None, recorded: Recorded) -> Case | None:
    event = recorded.event
    assert isinstance(event, UpgradeEvent)
    if kind := opens(key, event):
        opened = _opened(recorded, kind, "", "")
        tries = state.tries if state and state.tries else Tries()
        return replace(opened, pass_id=event.pass_id, tries=fold_tries(tries, recorded))
    if state is None or state.tries is None:
        return None
    status = "resolved" if closes(event) else state.status
    return replace(state, status=status, tries=fold_tries(state.tries, recorded))


def _of_shop(
    key: str, state: Case | None, event: ShopOrderEvent, recorded: Recorded
) -> Case | None:
    facts = opens_shop_case(event)
    if facts is None:
        return replace(state, status="resolved") if state else None
    opened = _opened(recorded, key.partition(":")[0], "", "")
    return replace(opened, tries=Tries(facts=facts))


def _opened(recorded: Recorded, kind: str, tx: str, payer: str) -> Case:
    return Case(
        kind=kind,
        stream=recorded.stream,
        pass_id=recorded.metadata.get("pass_id", ""),
        opened_at=recorded.recorded_at,
        position=recorded.position,
        tx=tx,
        payer=payer,
        amount=0,
    )


def _due(case: Case, place: int, due: str) -> Case:
    """The last word on a payment stands in the place of the one before."""
    dues = {**case.dues, place: int(due)}
    amount = sum(dues.values())
    return replace(case, dues=dues, amount=amount, status="open" if amount else "withdrawn")


def _more(case: Case, due: str) -> Case:
    return replace(case, amount=case.amount + int(due), status="open")
