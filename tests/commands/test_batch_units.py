from __future__ import annotations

from datetime import timedelta

import pytest

from commands.batch_mints import FailMint
from commands.batches import GiveUp, SubmitPayment
from commands.prepare_batch import PrepareBatch, PrepareSingle
from domain import pfp_refusals as refusals
from domain.allowance import allowance_stream
from domain.batch_view import art_due, mint_due, payment_due
from tests.commands.minting import OWNER, PRICE, WALLET, Minting, payment
from tests.spec import NOON


@pytest.fixture
def minting() -> Minting:
    return Minting()


def test_three_failures_end_a_round_and_leave_the_credit(minting):
    minting.pay(minting.prepare(2)["batchId"])
    index = minting.ask("b1")
    minting.store("b1", index)
    uri = minting.batch("b1").unit(index).uri("metadata")
    for _ in range(3):
        minting.fail("b1", index)
    unit = minting.batch("b1").unit(index)
    assert unit.failure.gave_up and unit.tried == 3 and minting.credits == 2
    assert minting.make("b1") == 2, "a unit that fails stops no other"
    assert minting.ask("b1") == index, "and is asked for again"
    again = minting.batch("b1").unit(index)
    assert again.tried == 0 and again.art_stored and again.uri("metadata") == uri


def test_an_empty_storage_account_costs_no_try(minting):
    minting.pay(minting.prepare(1)["batchId"])
    index = minting.ask("b1")
    minting.fail("b1", index, "quota")
    unit = minting.batch("b1").unit(index)
    assert unit.tried == 0 and unit.failure.gave_up


def test_a_mint_that_may_still_land_has_not_failed(minting):
    minting.pay(minting.prepare(1)["batchId"])
    index = minting.ask("b1")
    minting.store("b1", index)
    minting.sign("b1", index)
    minting.fail("b1", index)
    assert minting.batch("b1").unit(index).failure is None
    minting.mint("b1", index)
    assert minting.batch("b1").status == "complete"


def at_work(minting: Minting) -> list[int]:
    return [unit.index for unit in minting.batch("b1").in_work]


def test_the_background_stores_one_unit_after_the_other_while_the_chain_confirms(minting):
    minting.pay(minting.prepare(10)["batchId"])
    for count in range(1, 11):
        minting.go_on("b1")
        minting.go_on("b1")
        assert at_work(minting) == list(range(1, count + 1)), "two are drawn at once"
        minting.store("b1", count)
        minting.sign("b1", count)
    minting.go_on("b1")
    for index in reversed(range(1, 11)):
        minting.mint("b1", index)
    assert minting.batch("b1").status == "complete" and not minting.credits


def test_a_unit_that_cannot_be_stored_holds_the_background_up_until_its_round_ends(minting):
    minting.pay(minting.prepare(3)["batchId"])
    minting.go_on("b1")
    for _ in range(3):
        minting.go_on("b1")
        assert at_work(minting) == [1]
        minting.fail("b1", 1)
    minting.go_on("b1")
    assert at_work(minting) == [2]
    assert (minting.ask("b1"), minting.ask("b1")) == (3, 1), "its owner need not wait"


def test_somebody_must_look_at_a_batch_while_a_unit_can_go_on_and_no_longer(minting):
    def due() -> tuple[bool, bool]:
        batch = minting.batch("b1")
        return tuple(ask(batch, minting.memory.now) is not None for ask in (art_due, mint_due))

    minting.prepare(2)
    minting.memory.do(SubmitPayment(batch_id="b1", raw="c2lnbmVk", auto_mint=True))
    assert due() == (False, False)
    minting.land("b1")
    assert due() == (True, False)
    minting.go_on("b1")
    assert due() == (True, False)
    minting.store("b1", 1)
    assert due() == (True, True), "the next is drawn while the first is minted"
    minting.go_on("b1")
    minting.store("b1", 2)
    assert due() == (False, True)
    for index in (1, 2):
        minting.sign("b1", index)
        minting.mint("b1", index)
    assert due() == (False, False) and minting.batch("b1").status == "complete"


def single(minting: Minting) -> None:
    """A single mint `s1` whose picture is being made."""
    minting.memory.do(
        PrepareBatch(
            owner=OWNER,
            batch_id="s1",
            recipe="pfp_single",
            quantity=1,
            price=PRICE,
            treasury="treasury",
            entropy="00" * 32,
            expires_at=NOON,
        )
    )


def reserved(minting: Minting) -> int:
    return sum(minting.memory.state(allowance_stream(WALLET)).reserved.values())


def test_a_single_mint_whose_picture_cannot_be_stored_lets_go_in_the_same_breath(minting):
    single(minting)
    for _ in range(3):
        minting.fail("s1", 1)
    assert minting.batch("s1").status == "failed" and reserved(minting) == 0


def test_a_single_mint_that_nobody_comes_back_for_is_given_up_by_its_deadline(minting):
    single(minting)
    minting.store("s1", 1)
    batch = minting.batch("s1")
    assert payment_due(batch, NOON) == NOON + timedelta(minutes=10)
    minting.memory.do(GiveUp(batch_id="s1", reason="not prepared"))
    gone = minting.batch("s1")
    assert gone.status == "failed" and reserved(minting) == 0
    assert [ask(gone, NOON) for ask in (art_due, mint_due, payment_due)] == [None, None, None]


def test_a_single_mint_is_cancelled_only_before_its_transaction_is_made(minting):
    single(minting)
    minting.store("s1", 1)
    prepared = payment(WALLET, PRICE, "s1")
    ready = PrepareSingle(batch_id="s1", prepared=prepared, expires_at=NOON, minter="bubblegum")
    minting.memory.do(ready)
    with pytest.raises(refusals.BatchPaymentInFlight):
        minting.cancel("s1")
    minting.memory.do(GiveUp(batch_id="s1", reason="late"))
    late = {"error_class": "transient", "reason": "late", "cap": timedelta(seconds=1)}
    minting.memory.do(FailMint(batch_id="s1", index=1, **late))
    assert minting.batch("s1").status == "prepared" and reserved(minting) == 1


def test_what_the_server_could_not_mint_by_itself_is_a_credit_of_the_next_batch(minting):
    minting.prepare(2)
    minting.memory.do(SubmitPayment(batch_id="b1", raw="c2lnbmVk", auto_mint=True))
    minting.land("b1")
    minting.go_on("b1")
    for _ in range(3):
        minting.fail("b1", 1)
    told = minting.prepare(2)
    assert (told["creditsApplied"], told["lamports"]) == (1, str(PRICE))
    assert minting.batch("b1").remaining == 1
