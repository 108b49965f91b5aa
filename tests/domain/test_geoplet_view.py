"""What the payer is shown, in seed 004's words: every state has a way on, and none is hidden."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.geoplet_view import (
    NOTHING,
    SHOWN_FOR,
    describe_tracking,
    expires_at,
    failed_case,
    spoken_signature,
    spoken_voucher,
    surplus_case,
)
from domain.mint_view import spoken_time
from domain.regeneration import RETRY_WITHIN
from tests.domain.x402_orders import (
    DEADLINE,
    LASTS,
    MINT,
    PAYER,
    PRICE,
    REGENERATE,
    asked_for,
    bought,
    dismissed,
    expired,
    failed,
    first,
    given,
    lapsed,
    minted,
    not_made,
    opened,
    paid_picture,
    rejected,
    replaced,
    retracted,
    second,
    seen,
    settled,
    stored,
    submitted,
    surplus,
    used,
    verified,
    vouched,
)
from tests.spec import NOON

LATER, PAST = NOON + timedelta(minutes=6), NOON + LASTS + timedelta(seconds=1)
unpaid = [opened, first, vouched()]
paid = [*unpaid, submitted(), settled()]


def shown(*history, at=LATER):
    return describe_tracking(given(*history).is_now(), at)


def way(action, until=None, case_id=None, reason=None):
    spoken = spoken_time(until) if until else None
    return {"action": action, "until": spoken, "case_id": case_id, "reason": reason}


def test_a_verified_payment_is_shown_with_all_that_resumes_it():
    assert shown(*unpaid) == {
        "status": "verified",
        "mintVoucher": {"to": PAYER, "fid": "12345", "nonce": "77", "deadline": str(DEADLINE)},
        "mintSignature": "0x5161",
        "paymentHeader": "header of 0x1",
        "settlementTxHash": None,
        "expiresAt": "2030-01-01T12:15:00Z",
        "canResume": False,
        "isExpired": False,
        "recovery": way("settle", NOON + LASTS),
    }


def test_a_settled_mint_can_be_resumed_and_its_payment_header_is_gone():
    body = shown(*paid)
    assert (body["status"], body["canResume"], body["isExpired"]) == ("settled", True, False)
    assert (body["paymentHeader"], body["settlementTxHash"]) == (None, "0xt1")
    assert body["recovery"] == way("mint")


def test_after_six_minutes_it_still_resumes_and_after_the_deadline_a_new_voucher_does():
    assert shown(*paid, at=NOON + timedelta(minutes=6))["canResume"] is True
    late = shown(*paid, at=PAST)
    assert (late["canResume"], late["isExpired"], late["recovery"]) == (False, True, way("mint"))


def test_what_is_paid_is_shown_for_ever():
    year = NOON + timedelta(days=365)
    assert shown(*paid, at=year)["status"] == "settled"
    assert shown(*paid_picture, at=year)["status"] == "settled"
    assert shown(*paid, retracted(), at=year)["status"] == "settling"


def test_an_unpaid_one_that_expired_offers_nothing_but_paying_anew():
    body = shown(*unpaid, at=PAST)
    assert (body["status"], body["isExpired"], body["recovery"]) == ("verified", True, None)


@pytest.mark.parametrize(
    "history",
    [[], [opened], [*unpaid, dismissed()], [*unpaid, expired()], [*unpaid, submitted(), lapsed()]],
    ids=["never", "opened", "dismissed", "expired", "lapsed"],
)
def test_nothing_open_is_nothing(history):
    assert shown(*history) == NOTHING == {"status": None, "canResume": False}


def test_an_unknown_outcome_is_waited_for():
    body = shown(*unpaid, submitted(), at=PAST)
    assert (body["status"], body["recovery"]) == ("settling", way("wait"))
    assert body["paymentHeader"] == "header of 0x1"


def test_a_mint_on_chain_is_waited_for_and_then_done():
    assert shown(*paid, seen)["status"] == "minting"
    assert shown(*paid, seen)["recovery"] == way("wait")
    done = shown(*paid, minted)
    assert (done["status"], done["canResume"], done["recovery"]) == ("minted", False, None)


def test_a_token_that_is_out_unpaid_waits_for_its_payment():
    body = shown(*unpaid, minted, submitted(cause="minted"))
    assert (body["status"], body["recovery"]) == ("settling", way("wait"))


def test_a_refused_payment_is_told_and_a_new_one_is_the_way_on():
    body = shown(*unpaid, submitted(), rejected())
    assert (body["status"], body["paymentHeader"], body["recovery"]) == ("failed", None, None)


def test_what_failed_leads_to_support_with_its_case():
    order = given(*paid, failed("FID_MINTED_BY_ANOTHER", PRICE)).is_now()
    body = describe_tracking(order, LATER)
    case = way("support", case_id=failed_case(order.stream), reason="FID_MINTED_BY_ANOTHER")
    assert (body["status"], body["recovery"]) == ("failed", case)


def test_who_paid_twice_is_led_to_the_refund():
    twice = [*unpaid, replaced("0x1", "0x2"), second, settled("0x2", used("0xt2")), minted]
    order = given(*twice, surplus("0x1", used())).is_now()
    case = way("support", case_id=surplus_case(order.stream, "0x1"), reason="OVERPAID")
    assert describe_tracking(order, LATER)["recovery"] == case


def test_a_paid_picture_may_be_made_again_for_a_day():
    until = NOON + RETRY_WITHIN
    body = shown(*paid_picture)
    assert (body["status"], body["expiresAt"]) == ("settled", "2030-01-02T12:00:00Z")
    assert (body["canResume"], body["recovery"]) == (True, way("regenerate", until))
    assert shown(*paid_picture, asked_for())["recovery"] == way("wait", until)
    told = shown(*paid_picture, asked_for(), not_made("quota", gave_up=True))
    assert told["recovery"] == way("regenerate", until, reason="quota")


def test_a_picture_that_is_there_is_the_end():
    body = shown(*paid_picture, asked_for(), stored())
    assert (body["status"], body["canResume"], body["recovery"]) == ("completed", False, None)


@pytest.mark.parametrize(
    "ending",
    [
        [*paid, minted],
        [*paid_picture, asked_for(), stored()],
        [*unpaid, submitted(), rejected()],
        [*paid, failed("FID_MINTED_BY_ANOTHER", PRICE)],
    ],
    ids=["minted", "completed", "rejected", "failed"],
)
def test_an_end_is_shown_for_a_day(ending):
    last = NOON + SHOWN_FOR - timedelta(seconds=1)
    assert shown(*ending, at=last)["status"] in ("minted", "completed", "failed")
    assert shown(*ending, at=NOON + SHOWN_FOR) == NOTHING


def test_what_a_payer_is_given_for_a_payment():
    order = given(*unpaid).is_now()
    assert spoken_signature(order) == {
        "voucher": {"to": PAYER, "fid": "12345", "nonce": "77", "deadline": str(DEADLINE)},
        "signature": "0x5161",
        "paymentHeader": "header of 0x1",
        "expiresAt": "2030-01-01T12:15:00Z",
    }


def test_a_payment_is_handed_in_until_its_own_end_or_that_of_its_voucher():
    noon = int(NOON.timestamp())
    assert expires_at(noon + 300, noon + 900, NOON) == NOON + timedelta(minutes=5)
    assert expires_at(noon + 9000, noon + 900, NOON) == NOON + timedelta(minutes=15)
    assert expires_at(noon + 9000, None, NOON) == NOON + timedelta(minutes=15)
    assert expires_at(10**70, 10**70, NOON).year == 2242


def test_a_settled_mint_without_a_voucher_has_a_day_to_ask_for_one():
    body = shown(opened, first, submitted(), settled())
    assert (body["mintVoucher"], body["mintSignature"]) == (None, None)
    assert (body["expiresAt"], body["recovery"]) == ("2030-01-02T12:00:00Z", way("mint"))


def test_the_two_kinds_of_a_fid_are_two_orders():
    assert MINT["fid"] == REGENERATE["fid"]
    assert shown(bought, verified(ids=REGENERATE))["status"] == "verified"
    assert shown(bought, verified(ids=REGENERATE))["mintVoucher"] is None


def test_a_voucher_is_spoken_in_decimal_strings():
    issued = vouched(str(2**128 - 1))
    expected = {"to": PAYER, "fid": "12345", "nonce": str(2**128 - 1), "deadline": str(DEADLINE)}
    assert spoken_voucher(given(opened, first, issued).is_now()) == expected
