"""Fills a ledger with S0 histories through mega_append, in large appends: 9 events a character."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from uuid import uuid4

from bench import samples
from domain import character as made
from domain import order_events as happened
from domain.event import Event
from ledger.ledger import NewEvent
from ledger.sync import SyncLedger

APPEND = 900
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def history() -> Iterator[Event]:
    """One character from creation to image, one order from opening to settlement."""
    character, order = str(uuid4()), str(uuid4())
    opened = samples.opened(order, character)
    ids = {"order_id": order, "character_id": character}
    yield made.CharacterCreated(
        character_id=character, pass_id=samples.PASS, role="samurai", kind="role"
    )
    yield opened
    yield made.OrderAttached(character_id=character, order_id=order, number=1)
    yield happened.WalletStepShown(**ids, step="awaiting_approve")
    yield happened.WalletStepShown(**ids, step="awaiting_mint")
    yield happened.TransactionClaimed(**ids, tx_hash="0x" + "1" * 64, claimed_at=NOON)
    yield samples.settled(order, character)
    yield happened.PaymentFinalized(**ids, tx_hash="0x" + "1" * 64, block_hash="0x" + "2" * 64)
    yield made.OrderAttached(character_id=character, order_id=order, number=1)


def fill(url: str, count: int) -> None:
    """Appends until the ledger has about `count` events more."""
    with SyncLedger(url, master_key=bytes(32)) as ledger:
        events = placed()
        for _ in range(0, count, APPEND):
            ledger.append(list(islice(events, min(APPEND, count))))


def placed() -> Iterator[NewEvent]:
    while True:
        versions: dict[str, int] = {}
        metadata = samples.metadata()
        for event in history():
            versions[event.stream] = versions.get(event.stream, 0) + 1
            yield NewEvent(event.stream, versions[event.stream], event, metadata)
