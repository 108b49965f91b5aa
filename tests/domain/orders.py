"""An order and what may happen to it, for the tests of Order."""

from __future__ import annotations

from dataclasses import replace

from domain import order_events as happened
from domain.order import ORDER_LASTS, Order
from domain.payment import Payment
from tests.spec import NOON, Given

ALICE, MALLORY = "0x" + "a" * 40, "0x" + "b" * 40
IDS = {"order_id": "7e57", "character_id": "c0de"}
PRICE, DEEP = 25, 5
WALLETS = frozenset({ALICE})

opened = happened.OrderOpened(
    **IDS,
    pass_id="pass:user:alice",
    recipe="role_mint",
    asset="MPT",
    amount=str(PRICE),
    chain_id=8453,
    contract="0x" + "1" * 40,
    token="0x" + "2" * 40,
    treasury="0x" + "3" * 40,
    opened_block=1,
    expires_at=NOON + ORDER_LASTS,
)
claimed = happened.TransactionClaimed(**IDS, tx_hash="0x1", claimed_at=NOON)
found = Payment(
    tx_hash="0x1",
    sender=ALICE,
    nonce=4,
    block_number=10,
    block_hash="0xb10",
    log_index=0,
    payer=ALICE,
    amount=PRICE,
    token_id=7,
    depth=DEEP,
)
shallow = replace(found, depth=1)
seen = happened.PaymentSeen(**IDS, **shallow.facts())
settled = happened.PaymentSettled(**IDS, **found.facts())
retracted = happened.PaymentRetracted(
    **IDS, tx_hash="0x1", block_number=10, block_hash="0xb10", retracted_at=NOON
)
second = replace(found, tx_hash="0x2", nonce=5, block_hash="0xb11", token_id=8)


def given(*history):
    return Given(Order(), *history)


def paying(payment, wallets=WALLETS):
    return lambda order: order.record_payment(payment, confirmations=DEEP, wallets=wallets, at=NOON)


def dismissing(reason, at=NOON):
    return lambda order: order.dismiss("0x1", reason, at)
