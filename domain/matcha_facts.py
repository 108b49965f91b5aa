"""What the events of a MatchaAccount have in common, and the fact that a refund leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from domain.event import Event
from domain.matcha_events import MatchaClawedBack
from domain.matcha_lots import Hold, Lot

MATCHA: Final = "MATCHA"


def account_fields(
    pass_id: str, *, delta: int = 0, held: int = 0, lots: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The fields that every event of an account has."""
    meta = {"asset": MATCHA, "delta": delta, "held": held, "lots": dict(lots or {})}
    return {"pass_id": pass_id, "meta": meta}


def moved_fields(
    pass_id: str, id_: str, delta: int, *, held: int = 0, lots: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The fields of an event that may move the balance."""
    mg_id = f"credit_transaction:{id_}" if delta else None
    of = account_fields(pass_id, delta=delta, held=held, lots=lots)
    return {**of, "mg_id": mg_id, "matcha_delta": delta}


def ended_fields(hold: Hold) -> dict[str, Any]:
    about = {"generation_id": hold.hold_id, "lots": hold.lots, "amount": hold.amount}
    return {**about, "matcha_held_delta": -hold.amount}


def clawed_back(pass_id: str, lot: Lot, reference: str, refunded: int, taken: int) -> Event:
    clawed = replace(
        lot, refunded=lot.refunded + refunded, taken=lot.taken + taken, left=lot.left - taken
    )
    id_ = f"refunded:{lot.lot_id}:{reference}"
    return MatchaClawedBack(
        **moved_fields(pass_id, id_, -taken, lots={lot.lot_id: taken}),
        lot_id=lot.lot_id,
        reference=reference,
        refunded=refunded,
        amount=taken,
        owed=clawed.debt,
    )
