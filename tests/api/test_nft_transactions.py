"""`POST /api/nft/transactions`: the prepared transaction as the wallet signed it, or its word."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import httpx
import pytest
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

from tests.api.climbers import Climber, climber
from tests.api.fake_solana import signed
from tests.api.geoplets import refused
from tests.api.living import Living

TWO = ("early-bird", "whale")
SIGNATURE = "4" * 88


@pytest.fixture
async def ada(here: Living) -> Climber:
    return await climber(here, "600000", *TWO)


def content(transaction: str) -> VersionedTransaction:
    return VersionedTransaction.from_bytes(base64.b64decode(transaction))


def encoded(transaction: Any) -> str:
    return base64.b64encode(bytes(transaction)).decode()


async def hand_in(who: Climber, prepared: dict[str, Any], raw: str, **more: Any) -> httpx.Response:
    return await who.hand_in(prepared["upgrade_id"], signedTransactionBase64=raw, **more)


async def test_what_the_wallet_signed_is_recorded_before_the_chain_has_it(ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    whole = ada.sign(prepared)
    answer = await hand_in(ada, prepared, whole)
    assert (answer.status_code, answer.json()["state"]) == (202, "submitted")
    assert "timeline" not in answer.json()
    assert int(answer.headers["X-Ledger-Position"]) <= await ada.here.position()
    submitted = (await ada.attempt(prepared["upgrade_id"])).submitted
    assert submitted and submitted.raw == whole
    assert submitted.signature == str(content(whole).signatures[0])


async def test_handed_in_again_it_records_nothing(ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    first = await hand_in(ada, prepared, ada.sign(prepared))
    again = await hand_in(ada, prepared, ada.sign(prepared))
    assert again.json() == first.json()
    await ada.mint(prepared["upgrade_id"])
    position = await ada.here.position()
    late = await hand_in(ada, prepared, ada.sign(prepared))
    assert (late.status_code, late.json()["state"]) == (202, "minted")
    assert await ada.here.position() == position


async def test_a_signature_of_what_the_wallet_sent_itself_will_do(ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    answer = await ada.hand_in(prepared["upgrade_id"], signature=SIGNATURE)
    assert (answer.status_code, answer.json()["state"]) == (202, "submitted")
    submitted = (await ada.attempt(prepared["upgrade_id"])).submitted
    assert submitted and (submitted.raw, submitted.signature) == ("", SIGNATURE)


async def test_the_burn_of_an_upgrade_is_handed_in_alike(ada: Climber) -> None:
    await ada.unlocked()
    prepared = await ada.asked("upgrade")
    answer = await hand_in(ada, prepared, ada.sign(prepared))
    assert (answer.status_code, answer.json()["state"]) == (202, "submitted")
    burned = {"burn_signature": None, "mint_signature": None, "level": 2}
    assert {name: answer.json()[name] for name in burned} == burned


async def test_neither_is_too_little_and_both_are_too_much(ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    id_ = prepared["upgrade_id"]
    both = {"signedTransactionBase64": ada.sign(prepared), "signature": SIGNATURE}
    for more in ({}, both, {"signedTransactionBase64": None, "signature": None}):
        assert refused(await ada.hand_in(id_, **more)) == (422, "INVALID_REQUEST")
    assert (await ada.attempt(id_)).submitted is None


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"signedTransactionBase64": 7}, "signedTransactionBase64"),
        ({"signedTransactionBase64": ""}, "signedTransactionBase64"),
        ({"signedTransactionBase64": "A" * 4_097}, "signedTransactionBase64"),
        ({"signature": "0OIl" * 20}, "signature"),
        ({"signature": "1" * 63}, "signature"),
        ({"signature": "1" * 89}, "signature"),
        ({"signature": SIGNATURE + "\n"}, "signature"),
        ({"signed": "A"}, "signed"),
        ({"upgrade_id": "1" * 65}, "upgrade_id"),
    ],
    ids=str,
)
async def test_what_is_malformed_is_named_by_its_place(
    ada: Climber, more: dict[str, Any], place: str
) -> None:
    prepared = await ada.asked("unlock")
    answer = await ada.ask("transactions", {"upgrade_id": prepared["upgrade_id"], **more})
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert [one["field"] for one in answer.json()["fields"]] == [f"body.{place}"]


async def test_every_byte_of_the_prepared_message_counts(ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    raw = bytearray(base64.b64decode(ada.sign(prepared)))
    at = len(raw) - len(bytes(content(prepared["transactionBase64"]).message))
    for place in (at + 3, (at + len(raw)) // 2, len(raw) - 1):
        raw[place] ^= 1
        answer = await hand_in(ada, prepared, base64.b64encode(raw).decode())
        assert refused(answer)[0] == 422, place
        raw[place] ^= 1
    assert refused(await hand_in(ada, prepared, "AAAA"))[0] == 422
    assert refused(await hand_in(ada, prepared, "%%%"))[0] == 422
    assert (await hand_in(ada, prepared, base64.b64encode(raw).decode())).status_code == 202


async def test_it_is_the_wallet_that_has_to_sign(ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    unsigned = prepared["transactionBase64"]
    assert refused(await hand_in(ada, prepared, unsigned)) == (422, "SIGNATURE_MISSING")
    given = content(unsigned)
    other = Keypair().sign_message(to_bytes_versioned(given.message))
    forged = VersionedTransaction.populate(given.message, [other, *given.signatures[1:]])
    assert refused(await hand_in(ada, prepared, encoded(forged))) == (422, "SIGNATURE_MISSING")
    assert (await ada.attempt(prepared["upgrade_id"])).submitted is None


async def test_our_signatures_have_to_be_there(ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    whole = content(ada.sign(prepared))
    swapped = [whole.signatures[0], *reversed(whole.signatures[1:])]
    forged = VersionedTransaction.populate(whole.message, swapped)
    assert refused(await hand_in(ada, prepared, encoded(forged)))[0] == 422


async def test_a_transaction_of_another_attempt_is_none_of_this_one(
    here: Living, ada: Climber
) -> None:
    old = await ada.asked("unlock")
    await ada.lapse(old["upgrade_id"])
    new = await ada.asked("unlock")
    answer = await hand_in(ada, new, ada.sign(old))
    assert refused(answer) == (422, "TRANSACTION_MISMATCH")
    bob = await climber(here)
    theirs = await bob.asked("unlock")
    answer = await hand_in(ada, new, signed(theirs["transactionBase64"], bob.key))
    assert refused(answer) == (422, "TRANSACTION_MISMATCH")


async def test_when_it_can_not_land_any_more_a_new_one_has_to_be_asked_for(ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    await ada.lapse(prepared["upgrade_id"])
    for more in ({"signedTransactionBase64": ada.sign(prepared)}, {"signature": SIGNATURE}):
        answer = await ada.hand_in(prepared["upgrade_id"], **more)
        assert refused(answer) == (410, "UPGRADE_EXPIRED")


async def test_what_failed_is_tried_again_by_handing_it_in(ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    await hand_in(ada, prepared, ada.sign(prepared))
    await ada.fail(prepared["upgrade_id"], "ADD_SOL")
    answer = await hand_in(ada, prepared, ada.sign(prepared))
    assert (answer.status_code, answer.json()["state"]) == (202, "submitted")


async def test_an_attempt_of_somebody_else_is_not_there(here: Living, ada: Climber) -> None:
    prepared = await ada.asked("unlock")
    mallory = await climber(here)
    for more in ({"signedTransactionBase64": ada.sign(prepared)}, {}):
        answer = await mallory.hand_in(prepared["upgrade_id"], **more)
        assert refused(answer) == (404, "NOT_FOUND")
    assert refused(await ada.hand_in("7e57", signature=SIGNATURE)) == (404, "NOT_FOUND")


async def test_a_key_gives_the_first_answer_again_and_none_to_another_body(ada: Climber) -> None:
    prepared, key = await ada.asked("unlock"), secrets.token_hex(8)
    first = await hand_in(ada, prepared, ada.sign(prepared), key=key)
    await ada.mint(prepared["upgrade_id"])
    again = await hand_in(ada, prepared, ada.sign(prepared), key=key)
    assert (again.status_code, again.text) == (202, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await ada.hand_in(prepared["upgrade_id"], signature=SIGNATURE, key=key)
    assert refused(other) == (422, "IDEMPOTENCY_KEY_REUSED")
