"""PaymentSlot: one order at a time for a fid and a payment type, by ids that nobody chooses."""

from __future__ import annotations

from domain.payment_slot import PaymentSlot, PaymentSlotTaken, slot_stream
from tests.spec import Given


def taken(number=1, fid=7, payment_type="mint"):
    order_id = PaymentSlot("", number - 1).next_order_id(fid, payment_type)
    kind = {"payment_type": payment_type, "number": number}
    return PaymentSlotTaken(fid=fid, order_id=order_id, **kind)


def test_a_slot_is_taken_by_an_order_once():
    first = taken()
    Given(PaymentSlot()).when(lambda slot: slot.take(7, "mint", first.order_id)).then(first)
    assert first.stream == slot_stream(7, "mint")


def test_the_next_order_has_another_id_and_a_higher_number():
    first, second = taken(1), taken(2)
    slot = Given(PaymentSlot(), first)
    assert slot.is_now().next_order_id(7, "mint") == second.order_id != first.order_id
    slot.when(lambda s: s.take(7, "mint", second.order_id)).then(second)


def test_whoever_asks_at_the_same_time_is_told_the_same_id():
    assert taken() == taken()


def test_each_fid_and_each_payment_type_has_a_slot_of_its_own():
    streams = {slot_stream(fid, kind) for fid in (7, 8) for kind in ("mint", "regenerate")}
    ids = {taken(1, fid, kind).order_id for fid in (7, 8) for kind in ("mint", "regenerate")}
    assert len(streams) == len(ids) == 4
