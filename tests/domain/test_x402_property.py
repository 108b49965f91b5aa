"""Whatever is asked of an x402 order, however often: it is paid once, by its price, and no dollar
that lands is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given as forall
from hypothesis import strategies as some

from domain import x402_events as happened
from domain.event import Refused
from domain.geoplet_view import NOTHING, describe_tracking
from domain.regeneration import RETRY_WITHIN
from domain.x402_attempt import Landing
from domain.x402_duty import duty, picture_due
from domain.x402_order import X402Order
from tests.domain.x402_orders import (
    DEEP,
    LASTS,
    MINT,
    PRICE,
    REGENERATE,
    STRANGER,
    asked_for,
    delivered,
    given,
    lapsed,
    moved,
    not_made,
    opening,
    stored,
    token,
    used,
    verified,
    vouched,
)
from tests.spec import NOON

TIMES = [NOON, NOON + LASTS + timedelta(seconds=1), NOON + RETRY_WITHIN]
nonces = some.sampled_from(["0x1", "0x2"])
blocks = some.sampled_from(["0xb1", "0xb2"])
times = some.sampled_from([NOON, NOON, *TIMES])
amounts = some.sampled_from([PRICE, PRICE, PRICE, 0])
depths = some.sampled_from([DEEP, DEEP, 1])
attempts = some.integers(1, 3)


def verify(nonce: str, ids: Any) -> Any:
    """As the API takes a payment in: a mint gets its voucher with it."""

    def decide(order: X402Order) -> list[Any]:
        events: list[Any] = order.verify(verified(nonce, ids=ids))
        return [*events, *order.issue(vouched(nonce))] if events and ids is MINT else events

    return decide


def landed(nonce: str, block: str, amount: int, depth: int) -> Any:
    found = used(f"0xt{nonce}", block, amount=amount, depth=depth)
    return lambda order: order.land(nonce, found, confirmations=DEEP, at=NOON)


def minted(block: int, deep: bool, owner: str) -> Any:
    found = moved(type(token)(owner, "0xm1", 0, "", 1), block)
    return lambda order: order.record_mint(found, deep=deep, at=NOON)


def lapse(nonce: str, ids: Any) -> Any:
    return lambda order: order.lapse(nonce, lapsed(nonce, ids), NOON)


def asked_of(ids: Any) -> Any:
    """Everything that can be asked of an order, by anybody, at any time; what moves money is asked
    more often."""
    verifying = nonces.map(lambda n: verify(n, ids))
    submitting = some.builds(lambda n, t: lambda o: o.submit(n, t), nonces, times)
    landing = some.builds(landed, nonces, blocks, amounts, depths)
    lapsing = nonces.map(lambda n: lapse(n, ids))
    retracting = blocks.map(lambda b: lambda o: o.retract(b, NOON))
    settling = [
        nonces.map(lambda n: lambda o: o.try_settlement(n)),
        some.builds(lambda n, k: lambda o: o.attempts.not_sent(o.ids, n, k), nonces, attempts),
        nonces.map(lambda n: lambda o: o.reject(n, "no", NOON)),
        blocks.map(lambda b: lambda o: o.finalize(b)),
        some.sampled_from(["payer", "retention"]).map(lambda why: lambda o: o.dismiss(why)),
        some.sampled_from(["0xt1", "0xt2"]).map(lambda tx: lambda o: o.claim_settlement(tx)),
        times.map(lambda t: lambda o: o.overdue(t)),
    ]
    money = [verifying, verifying, submitting, submitting, landing, landing, lapsing, retracting]
    return some.one_of(*money, *settling, *(MINTS if ids is MINT else PICTURES))


MINTS = [
    some.builds(minted, some.integers(1, 2), some.booleans(), some.just(token.owner)),
    some.builds(minted, some.integers(1, 2), some.booleans(), some.just(STRANGER)),
    some.just(lambda o: o.issue(vouched("78")) if o.paid else []),
]
PICTURES = [
    times.map(lambda t: lambda o: o.regenerate(asked_for(0, t))),
    some.builds(
        lambda number, why: (
            lambda o: o.picture.fail(not_made(why, number), at=NOON, cap=LASTS, wish=timedelta())
        ),
        attempts,
        some.sampled_from(["transient", "quota", "refused"]),
    ),
    attempts.map(lambda number: lambda o: o.picture.store(stored(number))),
    some.just(lambda o: o.picture.deliver(delivered)),
]


@dataclass
class Books:
    """What an accountant notes from the facts alone. `unknown`: handed in, and it may still land
    as far as anybody has said."""

    price: dict[str, Landing | Any] = field(default_factory=dict)
    surplus: dict[str, Landing | Any] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    given_back: list[Any] = field(default_factory=list)
    handed_in: set[str] = field(default_factory=set)

    def note(self, event: Any) -> None:
        match event:
            case happened.X402PaymentSubmitted():
                assert not self.price, "handed in for what is paid"
                assert not self.unknown, "handed in beside one that may still land"
                self.unknown.add(event.nonce)
                self.handed_in.add(event.nonce)
            case happened.X402SettlementTried():
                assert not self.price, "moved for what is paid"
                assert event.nonce in self.unknown
            case happened.X402PaymentSettled():
                assert int(event.amount) >= PRICE
                assert event.depth >= DEEP
                self._land(self.price, event)
            case happened.X402PaymentSurplusRecorded():
                assert event.refund_due == event.amount
                self._land(self.surplus, event)
            case happened.X402PaymentRetracted():
                was_price = event.nonce in self.price
                gone = self.price.pop(event.nonce, None) or self.surplus.pop(event.nonce)
                assert (gone.tx_hash, gone.block_hash) == (event.tx_hash, event.block_hash)
                if was_price or event.nonce in self.handed_in:
                    self.unknown.add(event.nonce)
            case happened.X402PaymentLapsed() | happened.X402PaymentRejected():
                self.unknown.discard(event.nonce)
                assert event.nonce not in self.price | self.surplus
            case happened.X402OrderFailed():
                self.given_back.append(event)

    def _land(self, kind: dict[str, Any], event: Any) -> None:
        assert event.nonce not in self.price | self.surplus, "one authorization counted twice"
        kind[event.nonce] = event
        self.unknown.discard(event.nonce)


def told(order: X402Order, story: list[Any], books: Books) -> Any:
    """The order after each step of a story."""
    for decision in story:
        try:
            events = decision(order)
        except Refused:
            continue
        before = order
        for event in events:
            books.note(event)
            order = order.evolve(event)
        yield before, order


def checked(order: X402Order, books: Books) -> None:
    assert len(books.price) <= 1, "two payments for one order"
    assert (order.paid.nonce if order.paid else None) == next(iter(books.price), None)
    assert {each.nonce for each in order.attempts.surplus} == set(books.surplus)
    assert {each.nonce for each in order.attempts.all if each.landed} == {
        *books.price,
        *books.surplus,
    }
    assert len(books.given_back) <= 1, "an order failed twice"
    if order.status is None or (order.status == "failed" and not order.failure):
        assert not books.unknown, "asked to pay while a payment may still land"
    if order.failure and order.failure.error_code == "MINTED_UNPAID":
        assert order.failure.refund_due == "0"
    if order.failure and order.failure.error_code != "MINTED_UNPAID":
        assert order.failure.refund_due == str(PRICE)


def shown(order: X402Order) -> None:
    """A view for every state at any time; something unresolved is always looked at again."""
    for at in (*TIMES, NOON + timedelta(days=9)):
        body = describe_tracking(order, at)
        assert body == NOTHING or body.keys() >= {"status", "expiresAt", "canResume", "recovery"}
        if body["status"] in ("settling", "minting"):
            assert body["recovery"]["action"] == "wait"
        if order.paid and not order.ended and not order.minting.minted:
            assert body["recovery"], "paid, and no way on"
    picture_due(order, NOON)
    owed = not order.mints and order.paid and not order.delivered and not order.failure
    unresolved = order.attempts.alive or order.attempts.unsafe or owed
    if unresolved or (order.minting.seen and not order.minting.final and not order.failure):
        assert duty(order, NOON) is not None, "nobody looks at it again"


def kept(order: X402Order) -> None:
    assert msgspec.json.decode(msgspec.json.encode(order), type=X402Order) == order


def held(ids: Any, story: list[Any]) -> None:
    first, books = given(opening(ids)).is_now(), Books()
    order = first
    for before, after in told(first, story, books):
        order = after
        checked(order, books)
        shown(order)
        if before.failure:
            assert (order.status, order.failure) == ("failed", before.failure), "an end came undone"
        if before.picture.stored:
            assert order.picture.stored == before.picture.stored
        if before.minting.final:
            assert order.minting.seen == before.minting.seen
    kept(order)


@forall(some.lists(asked_of(MINT), min_size=12, max_size=30))
def test_a_mint_is_paid_once_and_no_dollar_is_lost(story):
    held(MINT, story)


@forall(some.lists(asked_of(REGENERATE), min_size=12, max_size=30))
def test_a_regeneration_is_paid_once_and_no_dollar_is_lost(story):
    held(REGENERATE, story)


@forall(some.lists(asked_of(MINT), max_size=15))
def test_asked_twice_in_a_row_everything_is_done_once(story):
    order = given(opening(MINT)).is_now()
    for decision in story:
        try:
            events = decision(order)
        except Refused:
            continue
        for event in events:
            order = order.evolve(event)
        if any(isinstance(event, happened.X402SettlementTried) for event in events):
            continue
        try:
            again = decision(order)
        except Refused:
            continue
        assert again == [], events
