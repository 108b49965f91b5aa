"""todo: what is promised and not yet done, with the time when somebody should look at it again.

A reaction takes a due row, does one thing, and the event that follows moves or closes the row. So a
promise survives every crash, and nothing is done twice for want of memory. Kinds:
`verify` (claimed or seen transactions of an order), `expire` (an unpaid order), `finality` (a
settled payment that a reorg may still take away), `deliver` (the image, then the final mint, of a
paid character). A row whose `due_at` is null is kept promises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from domain import character as made
from domain import order_events as happened
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class Promise:
    """`open` are the transactions that `verify` and `finality` wait for; `recipe`, `paid_by`,
    `image` and `minted` count for `deliver`."""

    kind: str
    order_id: str
    character_id: str
    pass_id: str
    opened_at: datetime
    due_at: datetime | None
    attempts: int = 0
    open: tuple[str, ...] = ()
    recipe: str = ""
    paid_by: str = ""
    image: bool = False
    minted: bool = False
    retry_at: datetime | None = None
    gave_up: bool = False


class Todo(Projection[Promise]):
    name = "todo"
    version = 2
    topics = topics_of(happened.OrderEvent) | topics_of(
        made.GenerationRequested, made.GenerationFailed, made.ImageStored
    )
    state = Promise

    def keys(self, recorded: Recorded) -> Iterable[str]:
        match recorded.event:
            case happened.OrderOpened() | happened.OrderReopened() | happened.OrderExpired() as e:
                return (f"expire:{e.order_id}", f"deliver:{e.character_id}")
            case happened.PaymentSettled() | happened.PaymentRetracted() as e:
                order = e.order_id
                return (
                    f"verify:{order}",
                    f"expire:{order}",
                    f"finality:{order}",
                    f"deliver:{e.character_id}",
                )
            case happened.PaymentRejected() | happened.PaymentSurplusRecorded() as e:
                return (f"verify:{e.order_id}", f"finality:{e.order_id}")
            case happened.PaymentFinalized() | happened.TokenFinalized() as e:
                return (f"finality:{e.order_id}",)
            case happened.TokenMinted() | happened.TokenRetracted() as e:
                return (f"finality:{e.order_id}", f"deliver:{e.character_id}")
            case happened.FinalMintSigned() | happened.FinalMintDropped() as e:
                return (f"deliver:{e.character_id}",)
            case happened.WalletStepShown():
                return ()
            case happened.OrderEvent() as e:
                return (f"verify:{e.order_id}",)
            case made.CharacterEvent() as e:
                return (f"deliver:{e.character_id}",)
        return ()

    def fold(self, key: str, state: Promise | None, recorded: Recorded) -> Promise | None:
        kind = key.partition(":")[0]
        known = state or _new(kind, recorded)
        if kind == "verify":
            return _verify(known, recorded)
        if kind == "deliver":
            return _deliver(known, recorded)
        return _expire(known, recorded) if kind == "expire" else _finality(known, recorded)

    def record(self, key: str, state: Promise) -> dict[str, Any]:
        return {
            "todo_id": key,
            "kind": _work(state),
            "order_id": state.order_id,
            "character_id": state.character_id,
            "pass_id": state.pass_id,
            "opened_at": state.opened_at.isoformat(),
            "due_at": state.due_at.isoformat() if state.due_at else None,
            "attempts": state.attempts,
            "state": msgspec.json.encode(state).decode(),
        }


def _new(kind: str, recorded: Recorded) -> Promise:
    event = recorded.event
    return Promise(
        kind=kind,
        order_id=getattr(event, "order_id", ""),
        character_id=getattr(event, "character_id", ""),
        pass_id=recorded.metadata.get("pass_id", ""),
        opened_at=recorded.recorded_at,
        due_at=None,
    )


def _verify(known: Promise, recorded: Recorded) -> Promise | None:
    claims = dict.fromkeys(known.open)
    match recorded.event:
        case happened.TransactionClaimed(tx_hash=tx) | happened.PaymentSeen(tx_hash=tx):
            claims[tx] = None
        case happened.PaymentRetracted(tx_hash=tx):
            claims[tx] = None
        case happened.TransactionDismissed(tx_hash=tx) | happened.PaymentEvent(tx_hash=tx):
            claims.pop(tx, None)
    if not claims:
        return None
    return replace(known, open=tuple(claims), due_at=recorded.recorded_at)


def _expire(known: Promise, recorded: Recorded) -> Promise | None:
    match recorded.event:
        case happened.OrderOpened(expires_at=at) | happened.OrderReopened(expires_at=at):
            return replace(known, due_at=at)
        case happened.PaymentRetracted():
            return None
    return None


def _finality(known: Promise, recorded: Recorded) -> Promise | None:
    taken = dict.fromkeys(known.open)
    match recorded.event:
        case happened.PaymentRetracted(tx_hash=tx) | happened.PaymentFinalized(tx_hash=tx):
            taken.pop(tx, None)
        case happened.TokenRetracted(tx_hash=tx) | happened.TokenFinalized(tx_hash=tx):
            taken.pop(tx, None)
        case happened.PaymentEvent(tx_hash=tx) | happened.TokenMinted(tx_hash=tx):
            taken[tx] = None
    return replace(known, open=tuple(taken), due_at=recorded.recorded_at) if taken else None


def _deliver(known: Promise, recorded: Recorded) -> Promise:
    event = recorded.event
    match event:
        case happened.OrderOpened(order_id=order_id, recipe=recipe):
            known = known if known.paid_by else replace(known, order_id=order_id, recipe=recipe)
        case happened.PaymentSettled(order_id=order_id, tx_hash=tx):
            known = replace(known, order_id=order_id, paid_by=tx)
        case happened.PaymentRetracted(order_id=known.order_id, tx_hash=known.paid_by):
            known = replace(known, paid_by="")
        case made.GenerationRequested(attempt=attempt):
            known = replace(known, attempts=attempt, retry_at=None, gave_up=False)
        case made.GenerationFailed(retry_at=retry_at):
            known = replace(known, retry_at=retry_at, gave_up=retry_at is None)
        case made.ImageStored():
            known = replace(known, image=True, retry_at=None, gave_up=False)
        case happened.TokenMinted():
            known = replace(known, minted=True)
        case happened.TokenRetracted():
            known = replace(known, minted=False)
    due = known.retry_at or recorded.recorded_at
    return replace(known, due_at=due if _work(known) and not known.gave_up else None)


def _work(promise: Promise) -> str:
    """What is to be done next; empty when nothing is."""
    if promise.kind != "deliver":
        return promise.kind
    if not promise.paid_by:
        return ""
    if not promise.image:
        return "generate"
    final = promise.recipe == "role_mint_final"
    return "final_mint" if final and not promise.minted else ""
