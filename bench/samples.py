"""Events of the size and shape that the product writes, and streams of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

from domain import order_events as happened
from ledger.ledger import NewEvent

PASS = "pass:user:eip155:0x" + "a" * 40


def settled(order_id: str, character_id: str = "") -> happened.PaymentSettled:
    return happened.PaymentSettled(
        order_id=order_id,
        character_id=character_id or str(uuid4()),
        tx_hash="0x" + "1" * 64,
        sender="0x" + "a" * 40,
        nonce=7,
        block_number=123456,
        block_hash="0x" + "2" * 64,
        log_index=3,
        payer="0x" + "a" * 40,
        amount="10000000",
        token_id="77",
        depth=5,
    )


def opened(order_id: str, character_id: str = "") -> happened.OrderOpened:
    return happened.OrderOpened(
        order_id=order_id,
        character_id=character_id or str(uuid4()),
        pass_id=PASS,
        recipe="role_mint",
        asset="MPT",
        amount="10000000",
        chain_id=8453,
        contract="0x" + "1" * 40,
        token="0x" + "2" * 40,
        treasury="0x" + "3" * 40,
        opened_block=1,
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
    )


def metadata() -> dict[str, str]:
    id_ = str(uuid4())
    return {
        "correlation_id": id_,
        "causation_id": f"command:{id_}",
        "command_id": id_,
        "pass_id": PASS,
    }


def one_event() -> list[NewEvent]:
    """An append of one event on a new stream."""
    event = settled(str(uuid4()))
    return [NewEvent(event.stream, 1, event, metadata())]


def stream_of(count: int) -> Iterator[NewEvent]:
    """`count` events of one stream."""
    order_id = str(uuid4())
    for version in range(1, count + 1):
        event = settled(order_id)
        yield NewEvent(event.stream, version, event, metadata())
