"""Whatever is asked of an order, it counts one payment and loses none."""

from __future__ import annotations

from hypothesis import given as forall
from hypothesis import strategies as some

from domain import order_events as happened
from domain.event import Refused
from domain.order import ORDER_LASTS
from domain.payment import Payment, Place
from tests.domain.orders import ALICE, DEEP, MALLORY, PRICE, dismissing, given, opened, paying
from tests.spec import NOON

payments = some.builds(
    Payment,
    tx_hash=some.sampled_from(["0x1", "0x2", "0x3"]),
    sender=some.just(ALICE),
    nonce=some.integers(0, 3),
    block_number=some.integers(1, 3),
    block_hash=some.sampled_from(["0xb1", "0xb2", "0xb3"]),
    log_index=some.integers(0, 1),
    payer=some.sampled_from([ALICE, MALLORY]),
    amount=some.sampled_from([PRICE, PRICE + 3, PRICE - 1]),
    token_id=some.just(1),
    depth=some.sampled_from([1, DEEP]),
)
asked = some.one_of(
    payments.map(paying),
    some.sampled_from(["0x1", "0x2"]).map(lambda tx: lambda o: o.claim(tx, NOON)),
    some.sampled_from(["0xb1", "0xb2", "0xb3"]).map(lambda b: lambda o: o.retract(b, NOON)),
    some.sampled_from(["reverted", "replaced", "not_for_order"]).map(dismissing),
    some.sampled_from(["0xb1", "0xb2"]).map(lambda b: lambda o: o.finalize(b)),
    some.just(lambda o: o.expire(NOON + ORDER_LASTS)),
    some.just(lambda o: o.reopen(NOON)),
)


@forall(some.lists(asked, max_size=25))
def test_an_order_counts_one_payment_and_loses_none(story):
    order = given(opened).is_now()
    places: dict[str, set[Place]] = {"price": set(), "surplus": set(), "rejected": set()}
    for decision in story:
        try:
            events = decision(order)
        except Refused:
            continue
        for event in events:
            order = order.evolve(event)
            match event:
                case happened.PaymentSettled():
                    places["surplus"].discard(Payment.of(event).place)
                    places["price"].add(Payment.of(event).place)
                    assert int(event.amount) - int(event.refund_due) == PRICE
                    assert event.payer == ALICE
                    assert event.depth >= DEEP
                case happened.PaymentRetracted():
                    gone = (event.tx_hash, event.block_hash)
                    for kept in places.values():
                        kept -= {place for place in kept if place[:2] == gone}
                case happened.PaymentSurplusRecorded():
                    places["surplus"].add(Payment.of(event).place)
                case happened.PaymentRejected():
                    places["rejected"].add(Payment.of(event).place)
        assert len(places["price"]) <= 1, "two payments for one order"
        assert (order.status == "confirmed") == bool(places["price"])
        for taken_as, expected in places.items():
            receipts = [r for r in order.receipts.taken if r.taken_as == taken_as]
            assert {receipt.payment.place for receipt in receipts} == expected
        taken = [place for kept in places.values() for place in kept]
        assert len(taken) == len(set(taken)), "one payment counted twice"
        assert len({place[:2] for place in taken}) == len({place[0] for place in taken}), (
            "one transaction counted in two blocks"
        )
