"""One PFP whose payment and mint are one transaction, which the wallet signs after us."""

from __future__ import annotations

from typing import Any

from tests.e2e.minter import PRICE, Minter, id_of
from tests.e2e.witnesses import EXPIRED_SLOTS, chain, check_token, slots, uploads
from tests.waiting import eventually


def test_a_single_mint_pays_and_mints_in_one_transaction(minter: Minter) -> None:
    before = minter.lamports()
    told = minter.post("/pfp/prepare")
    assert told["lamports"] == str(PRICE) and slots(minter) == (0, 1)
    body = {"mintId": told["mintId"], "signedTransactionBase64": minter.sign(told)}
    done = eventually(lambda: complete(minter.post("/pfp/confirm", body)))
    check_token(minter, done["minted"])
    assert done["minted"]["signature"] == id_of(told)
    assert before - minter.lamports() == PRICE
    assert slots(minter) == (1, 0) and minter.status()["pfp_credits"] == 0
    assert minter.statement() == {"paid": PRICE, "delivered": PRICE}


def test_a_credit_pays_for_a_single_mint(minter: Minter) -> None:
    minter.buys(1)
    before = minter.lamports()
    told = minter.post("/pfp/prepare")
    assert told["lamports"] == "0"
    body = {"mintId": told["mintId"], "signedTransactionBase64": minter.sign(told)}
    eventually(lambda: complete(minter.post("/pfp/confirm", body)))
    assert minter.lamports() == before and minter.status()["pfp_credits"] == 0
    assert minter.statement("PFP") == {"paid": 1, "delivered": 1}


def test_a_single_mint_that_lapses_is_prepared_again_with_the_same_picture(
    minter: Minter,
) -> None:
    first = minter.post("/pfp/prepare")
    chain(minter, advance_slots=EXPIRED_SLOTS)
    minter.until(first["mintId"], "expired")
    assert slots(minter) == (0, 0)
    told = minter.post("/pfp/prepare")
    body = {"mintId": told["mintId"], "signedTransactionBase64": minter.sign(told)}
    done = eventually(lambda: complete(minter.post("/pfp/confirm", body)))
    assert uploads(minter, [done["minted"]]) == 2


def complete(answer: dict[str, Any]) -> dict[str, Any] | None:
    return answer if answer["status"] == "complete" else None
