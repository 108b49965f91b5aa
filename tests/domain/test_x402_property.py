"""Whatever is asked of an x402 order, however often: it is paid once, by its price, and no dollar
that lands is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given as forall
from hypothesis import settings
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
NONCES, BLOCKS = ("0x1", "0x2"), ("0xb1", "0xb2")
EXAMPLES = 300
STARTS = [
    ["verify 0x1", "verify 0x2", "submit 0x2", "land 0x1 in 0xb1"],
    ["verify 0x1", "submit 0x1", "land 0x1 in 0xb1"],
    ["verify 0x1", "verify 0x2"],
    [],
]
"""Beginnings that few stories would come to by chance."""


@dataclass(frozen=True)
class Asked:
    """A decision with a name that a failing story can be read by."""

    name: str
    decide: Callable[[X402Order], list[Any]] = field(repr=False)


def verify(nonce: str, ids: Any) -> Any:
    """As the API takes a payment in: a mint gets its voucher with it."""

    def decide(order: X402Order) -> list[Any]:
        events: list[Any] = order.verify(verified(nonce, ids=ids))
        return [*events, *order.issue(vouched(nonce))] if events and ids is MINT else events

    return decide


def landed(nonce: str, block: str, amount: int = PRICE, depth: int = DEEP) -> Any:
    found = used(f"0xt{nonce}", block, amount=amount, depth=depth)
    return lambda order: order.land(nonce, found, confirmations=DEEP, at=NOON)


def minted(block: int, deep: bool, owner: str = token.owner) -> Any:
    found = moved(replace(token, owner=owner), block)
    return lambda order: order.record_mint(found, deep=deep, at=NOON)


def of_payment(nonce: str, ids: Any) -> Iterator[Asked]:
    for _ in range(2):
        yield Asked(f"verify {nonce}", verify(nonce, ids))
        yield Asked(f"submit {nonce}", lambda o: o.submit(nonce, NOON))
        for block in BLOCKS:
            yield Asked(f"land {nonce} in {block}", landed(nonce, block))
    yield Asked(f"submit {nonce} late", lambda o: o.submit(nonce, TIMES[1]))
    yield Asked(f"shallow {nonce}", landed(nonce, "0xb2", depth=1))
    yield Asked(f"cancel {nonce}", landed(nonce, "0xb1", amount=0))
    yield Asked(f"try {nonce}", lambda o: o.try_settlement(nonce))
    yield Asked(f"not sent {nonce}", lambda o: o.attempts.not_sent(o.ids, nonce, 1))
    yield Asked(f"reject {nonce}", lambda o: o.reject(nonce, "no", NOON))
    yield Asked(f"lapse {nonce}", lambda o: o.lapse(nonce, lapsed(nonce, ids), NOON))
    yield Asked(f"claim {nonce}", lambda o: o.claim_settlement(f"0xt{nonce}"))


def of_both() -> Iterator[Asked]:
    for block in BLOCKS:
        yield Asked(f"retract {block}", lambda o, b=block: o.retract(b, NOON))
    yield Asked("finalize 0xb1", lambda o: o.finalize("0xb1"))
    yield Asked("dismiss", lambda o: o.dismiss("payer"))
    for at in TIMES:
        yield Asked(f"overdue {at}", lambda o, t=at: o.overdue(t))


def of_mint() -> Iterator[Asked]:
    for block in (21, 22):
        yield Asked(f"seen in {block}", minted(block, deep=False))
        yield Asked(f"minted in {block}", minted(block, deep=True))
        yield Asked(f"retract {block}", lambda o, b=f"0xb{block}": o.retract(b, NOON))
    yield Asked("finalize 21", lambda o: o.finalize("0xb21"))
    yield Asked("minted by another", minted(21, deep=True, owner=STRANGER))
    yield Asked("voucher", lambda o: o.issue(vouched("78")) if o.paid else [])


def of_picture() -> Iterator[Asked]:
    for at in TIMES:
        yield Asked(f"regenerate {at}", lambda o, t=at: o.regenerate(asked_for(0, t)))
    for number in (1, 2):
        for why in ("transient", "quota", "refused"):
            yield Asked(f"fail {number} {why}", failing(number, why))
        yield Asked(f"store {number}", lambda o, n=number: o.picture.store(stored(n)))
    yield Asked("deliver", lambda o: o.picture.deliver(delivered))


def failing(number: int, why: str) -> Any:
    event = not_made(why, number)
    return lambda o: o.picture.fail(event, at=NOON, cap=LASTS, wish=timedelta())


def stories(ids: Any) -> Any:
    """Everything that can be asked of an order, by anybody, in any order."""
    own = of_mint() if ids is MINT else of_picture()
    payments = [asked for nonce in NONCES for asked in of_payment(nonce, ids)]
    menu = [*payments, *of_both(), *own]
    named = {asked.name: asked for asked in menu}
    starts = [[named[name] for name in start] for start in STARTS]
    rest = some.lists(some.sampled_from(menu), min_size=12, max_size=40)
    return some.tuples(some.sampled_from(starts), rest).map(lambda both: [*both[0], *both[1]])


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
                if self.surplus.pop(event.nonce, None):
                    assert not self.price, "promoted beside what pays"
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


def told(order: X402Order, story: list[Asked], books: Books) -> Any:
    """The order after each step of a story."""
    for asked in story:
        try:
            events = asked.decide(order)
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


def held(ids: Any, story: list[Asked]) -> None:
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


@settings(max_examples=EXAMPLES)
@forall(stories(MINT))
def test_a_mint_is_paid_once_and_no_dollar_is_lost(story):
    held(MINT, story)


@settings(max_examples=EXAMPLES)
@forall(stories(REGENERATE))
def test_a_regeneration_is_paid_once_and_no_dollar_is_lost(story):
    held(REGENERATE, story)


@settings(max_examples=EXAMPLES)
@forall(stories(MINT))
def test_asked_twice_in_a_row_everything_is_done_once(story):
    order = given(opening(MINT)).is_now()
    for asked in story:
        try:
            events = asked.decide(order)
        except Refused:
            continue
        for event in events:
            order = order.evolve(event)
        if any(isinstance(event, happened.X402SettlementTried) for event in events):
            continue
        try:
            again = asked.decide(order)
        except Refused:
            continue
        assert again == [], asked
