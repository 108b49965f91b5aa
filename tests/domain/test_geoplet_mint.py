"""A Geoplet's mint: the vouchers that lead to it, and what is owed when it happens unpaid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import geoplet_events as made
from domain.geoplet_mint import CLAIMS_MAX
from tests.domain.x402_orders import (
    MINT,
    PRICE,
    STRANGER,
    failed,
    first,
    given,
    landing,
    lapsed,
    mint_retracted,
    minted,
    minting,
    moved,
    opened,
    paid_picture,
    rejected,
    replaced,
    second,
    seen,
    settled,
    submitted,
    surplus,
    token,
    tried,
    used,
    vouched,
)
from tests.spec import NOON

paid = [opened, first, vouched(), submitted(), settled()]
unpaid = [opened, first, vouched()]
minted_final = made.GeopletMintFinalized(**MINT, tx_hash="0xm1", block_hash="0xb20")
collected = submitted(cause="minted")


def issuing(voucher):
    return lambda order: order.issue(voucher)


# Vouchers.


def test_a_voucher_leaves_before_the_payment_is_settled():
    given(opened, first).when(issuing(vouched())).then(vouched())
    assert given(*unpaid).is_now().status == "verified"


def test_another_voucher_follows_the_one_that_ended():
    given(*paid).when(issuing(vouched("78"))).then(vouched("78"))


def test_no_voucher_is_given_once_a_block_has_the_mint():
    given(*paid, seen).when(issuing(vouched("78"))).then()


def test_no_voucher_is_given_for_an_order_that_failed():
    given(*paid, failed("FID_MINTED_BY_ANOTHER", PRICE)).when(issuing(vouched("78"))).then()


# The mint.


def test_a_mint_in_a_block_is_shown_and_does_not_count_yet():
    given(*paid).when(minting(deep=False)).then(seen)
    assert given(*paid, seen).is_now().status == "minting"


@pytest.mark.parametrize("before", [[], [seen]], ids=["unseen", "seen"])
def test_a_mint_deep_enough_is_the_delivery(before):
    given(*paid, *before).when(minting()).then(minted)
    order = given(*paid, *before, minted).is_now()
    assert (order.status, order.delivered) == ("minted", True)


def test_the_end_of_a_mint_is_final_and_nothing_more_is_asked_for():
    order = given(*paid, minted)
    order.when(minting(deep=False)).then()
    order.when(lambda o: o.verify(second)).then()
    order.when(lambda o: o.overdue(NOON)).then()


def test_a_reorg_takes_the_mint_back_and_the_payer_may_mint_again():
    given(*paid, minted).when(lambda o: o.retract("0xb20", NOON)).then(mint_retracted)
    assert given(*paid, minted, mint_retracted).is_now().status == "settled"


def test_a_mint_carried_over_by_a_reorg_counts_in_its_new_block():
    again = made.GeopletMinted(**MINT, **moved().facts(), minted_at=NOON)
    given(*paid, minted).when(minting(moved())).then(mint_retracted, again)
    shallow = made.GeopletMintSeen(**MINT, **moved().facts())
    given(*paid, seen).when(minting(moved(), deep=False)).then(mint_retracted, shallow)


def test_what_is_final_is_not_taken_back():
    given(*paid, minted).when(lambda o: o.finalize("0xb20")).then(minted_final)
    over = given(*paid, minted, minted_final)
    over.when(lambda o: o.retract("0xb20", NOON)).then()
    over.when(minting(moved())).then()


def test_a_mint_that_is_not_deep_is_not_final():
    given(*paid, seen).when(lambda o: o.finalize("0xb20")).then()


def test_another_block_changes_nothing():
    given(*paid, minted).when(lambda o: o.retract("0xb77", NOON)).then()
    given(*paid, minted).when(lambda o: o.finalize("0xb77")).then()


# Claims.


def test_a_claim_proves_nothing_and_is_kept_once():
    claimed = made.MintClaimed(**MINT, tx_hash="0xm1")
    given(*paid).when(lambda o: o.minting.claim(claimed)).then(claimed)
    assert given(*paid, claimed).is_now().status == "settled"
    given(*paid, minted).when(lambda o: o.minting.claim(claimed)).then()


def test_claims_beyond_the_limit_are_not_kept():
    many = [made.MintClaimed(**MINT, tx_hash=f"0x{number}") for number in range(CLAIMS_MAX)]
    new = made.MintClaimed(**MINT, tx_hash="0xnew")
    given(*paid, *many).when(lambda o: o.minting.claim(new)).then()


# Minted before it was settled.


@pytest.mark.parametrize("deep", [True, False])
def test_a_mint_of_a_verified_order_hands_its_payment_in_at_once(deep):
    event = minted if deep else seen
    given(*unpaid).when(minting(deep=deep)).then(event, collected)
    assert given(*unpaid, event, collected).is_now().status == "settling"


def test_while_the_payment_is_under_way_the_mint_is_only_recorded():
    given(*unpaid, submitted()).when(minting()).then(minted)


def test_what_was_replaced_is_handed_in_too_when_the_token_is_out_the_newest_first():
    two = [*unpaid, replaced("0x1", "0x2"), second, vouched("78")]
    given(*two).when(minting()).then(minted, submitted("0x2", "minted"))
    refused = [*two, minted, submitted("0x2", "minted"), tried(1, "0x2")]
    given(*refused).when(lambda o: o.reject("0x2", "insufficient_funds", NOON)).then(
        rejected("0x2"), submitted("0x1", "minted")
    )


def test_a_payment_that_lands_for_a_minted_token_ends_it_well():
    given(*unpaid, minted, collected).when(landing()).then(settled())
    assert given(*unpaid, minted, collected, settled()).is_now().status == "minted"


def test_minted_and_refused_it_is_not_failed_before_nothing_can_land_any_more():
    refused = [*unpaid, minted, collected, tried(1)]
    given(*refused).when(lambda o: o.reject("0x1", "insufficient_funds", NOON)).then(rejected())
    given(*refused, rejected()).when(lambda o: o.lapse("0x1", lapsed(), NOON)).then(
        lapsed(), failed("MINTED_UNPAID")
    )


def test_minted_unpaid_is_the_end_when_the_only_payment_lapsed():
    history = given(*unpaid, minted, collected)
    history.when(lambda o: o.lapse("0x1", lapsed(), NOON)).then(lapsed(), failed("MINTED_UNPAID"))
    order = given(*unpaid, minted, collected, lapsed(), failed("MINTED_UNPAID")).is_now()
    assert (order.status, order.ended, order.failure.refund_due) == ("failed", True, "0")


def test_a_mint_that_a_reorg_may_take_away_ends_nothing_yet():
    history = [*unpaid, seen, collected]
    given(*history).when(lambda o: o.lapse("0x1", lapsed(), NOON)).then(lapsed())
    given(*history, lapsed()).when(minting()).then(minted, failed("MINTED_UNPAID"))


def test_minted_after_everything_lapsed_is_unpaid_at_once():
    given(*unpaid, lapsed()).when(minting()).then(minted, failed("MINTED_UNPAID"))


def test_what_lands_after_the_end_is_refund_due():
    over = [*unpaid, minted, collected, lapsed(), failed("MINTED_UNPAID")]
    given(*over).when(landing()).then(surplus("0x1", used()))
    given(*over).when(minting()).then()


def test_a_reorg_that_takes_the_payment_for_a_minted_token_away_leaves_it_unknown():
    gone = (
        given(*paid, minted)
        .when(lambda o: o.retract("0xb10", NOON))
        .decision(given(*paid, minted).is_now())
    )
    order = given(*paid, minted, *gone).is_now()
    assert (order.status, order.in_flight) == ("settling", True)
    assert order.lapse("0x1", lapsed(), NOON) == [lapsed(), failed("MINTED_UNPAID")]


# Minted by somebody else.


def test_a_paid_fid_that_another_minted_is_refund_due():
    theirs = replace(token, owner=STRANGER)
    given(*paid).when(minting(theirs)).then(failed("FID_MINTED_BY_ANOTHER", PRICE))
    given(*paid).when(minting(theirs, deep=False)).then()


def test_a_fid_that_another_minted_is_nothing_to_an_unpaid_order():
    given(*unpaid).when(minting(replace(token, owner=STRANGER))).then()


def test_a_payer_who_mints_with_a_voucher_that_we_never_saw_is_known_by_the_payment():
    given(opened, first).when(minting()).then(minted, submitted(cause="minted"))


def test_a_regeneration_mints_nothing():
    given(*paid_picture).when(minting()).then()
