"""`POST /api/nft/unlock`: who qualifies gets one transaction, however often they ask."""

from __future__ import annotations

import asyncio
import base64
import secrets
from datetime import timedelta
from typing import Any

import pytest
from solders.transaction import VersionedTransaction

from commands.config import SetConfig
from commands.passes import Identify
from domain.levels import DEFAULT_LEVELS, LEVELS_KEY
from tests.api.climbers import Climber, climber
from tests.api.fake_solana import AUTHORITY
from tests.api.geoplets import refused
from tests.api.living import Living


@pytest.fixture
async def ada(here: Living) -> Climber:
    return await climber(here, "100000.00")


async def test_the_transaction_is_the_wallets_to_pay_and_ours_to_sign_already(
    ada: Climber,
) -> None:
    answer = await ada.ask("unlock")
    told = answer.json()
    assert answer.status_code == 200
    assert told.keys() == {"upgrade_id", "transactionBase64", "expires_at"}
    given = VersionedTransaction.from_bytes(base64.b64decode(told["transactionBase64"]))
    keys = [str(key) for key in given.message.account_keys]
    terms = (await ada.attempt(told["upgrade_id"])).terms
    assert keys[0] == ada.wallet, "who pays the fee is the first"
    assert {str(AUTHORITY.pubkey()), terms.mint} <= set(keys)
    results = given.verify_with_results()
    assert (results[0], all(results[1:])) == (False, True), "all have signed but the wallet"
    assert int(answer.headers["X-Ledger-Position"]) <= await ada.here.position()


async def test_the_evidence_is_kept_as_it_was(here: Living, ada: Climber) -> None:
    id_ = (await ada.asked("unlock"))["upgrade_id"]
    await ada.trade("-99999")
    shown = (await ada.caller.get(f"/api/nft/upgrades/{id_}")).json()
    evidence = {"volume_usd": "100000", "required_volume_usd": "100000", "badges": []}
    assert shown["evidence"] == {**evidence, "config_version": 0}
    again = await ada.asked("unlock")
    assert again["upgrade_id"] == id_, "what is open is not asked for again"


async def test_one_cent_short_is_told_what_is_missing(here: Living) -> None:
    newcomer = await climber(here, "99999.99")
    before = await here.position()
    answer = await newcomer.ask("unlock")
    assert refused(answer) == (403, "NOT_QUALIFIED")
    told = answer.json()
    assert told["requirements"] == {"level": 1, "volume_usd": "100000", "badges": 0}
    progress = {"volume_usd": "99999.99", "badges": 0, "progress_percent": 99}
    assert told["progress"] == {**progress, "missing": ["volume"]}
    assert await here.position() == before, "a refusal records nothing"
    await newcomer.trade("0.01")
    assert (await newcomer.ask("unlock")).status_code == 200


async def test_asked_twice_it_is_the_same_transaction(here: Living, ada: Climber) -> None:
    first = await ada.ask("unlock")
    position = await here.position()
    assert (await ada.ask("unlock")).json() == first.json()
    raw = ada.sign(first.json())
    await ada.hand_in(first.json()["upgrade_id"], signedTransactionBase64=raw)
    assert (await ada.ask("unlock")).json() == first.json(), "it is still the open one"
    assert await here.position() == position + 1


async def test_of_unlocks_that_race_one_wins_and_all_get_it(ada: Climber) -> None:
    answers = await asyncio.gather(*(ada.ask("unlock") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len((await ada.upgrade()).attempts) == 1


async def test_who_has_a_token_or_is_owed_one_is_told_so(here: Living) -> None:
    bob = await climber(here, "600000", "early", "whale")
    await bob.unlocked()
    assert refused(await bob.ask("unlock")) == (409, "ALREADY_UNLOCKED")
    id_ = (await bob.asked("upgrade"))["upgrade_id"]
    assert refused(await bob.ask("unlock")) == (409, "ALREADY_UNLOCKED")
    await bob.burn(id_)
    assert refused(await bob.ask("unlock")) == (409, "UPGRADE_UNDERWAY")


async def test_a_window_that_is_over_is_waited_out_and_a_new_one_comes(
    here: Living, ada: Climber
) -> None:
    id_ = (await ada.asked("unlock"))["upgrade_id"]
    await here.parts.clock.advance(timedelta(seconds=46))
    answer = await ada.ask("unlock")
    assert refused(answer) == (409, "UPGRADE_UNDERWAY")
    assert int(answer.headers["Retry-After"]) > 0
    await ada.lapse(id_)
    assert (await ada.asked("unlock"))["upgrade_id"] != id_


async def test_a_pass_without_a_wallet_is_asked_for_one(here: Living) -> None:
    nobody = await here.caller()
    rich = Climber(here, nobody, (await climber(here)).key)
    await rich.trade("200000", nobody.pass_id)
    assert refused(await rich.ask("unlock")) == (409, "WALLET_REQUIRED")


async def test_of_several_wallets_the_first_gets_it(here: Living, ada: Climber) -> None:
    second = (await climber(here)).wallet[::-1]
    known = {"new_pass_id": ada.caller.pass_id, "current": ada.caller.pass_id}
    await here.do(Identify(identity=f"solana:{second}", **known))
    id_ = (await ada.asked("unlock"))["upgrade_id"]
    assert (await ada.attempt(id_)).terms.wallet == ada.wallet


async def test_a_silent_chain_prepares_nothing_new_and_forgets_nothing(
    here: Living, ada: Climber
) -> None:
    here.solana.silent = True
    try:
        assert refused(await ada.ask("unlock"))[0] == 503
        here.solana.silent = False
        first = await ada.asked("unlock")
        here.solana.silent = True
        assert await ada.asked("unlock") == first
    finally:
        here.solana.silent = False


async def test_a_key_gives_the_first_answer_again(here: Living, ada: Climber) -> None:
    key = secrets.token_hex(8)
    first = await ada.ask("unlock", key=key)
    await ada.mint(first.json()["upgrade_id"])
    again = await ada.ask("unlock", key=key)
    assert (again.status_code, again.text) == (200, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Ledger-Position"] == first.headers["X-Ledger-Position"]
    assert refused(await ada.ask("unlock")) == (409, "ALREADY_UNLOCKED")


@pytest.mark.parametrize("body", [{"level": 2}, [], "x", {"wallet": "mine"}], ids=str)
async def test_there_is_nothing_to_say_in_the_body(ada: Climber, body: Any) -> None:
    answer = await ada.caller.post("/api/nft/unlock", body, Idempotency_Key="x" * 300)
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert all(field["field"].startswith("body") for field in answer.json()["fields"])


async def test_only_users_unlock(here: Living) -> None:
    for path in ("unlock", "upgrade", "transactions"):
        nobody = here.nobody()
        answer = await nobody.ask("POST", f"/api/nft/{path}", content=b"{broken")
        assert refused(answer) == (401, "UNAUTHENTICATED")
        auditor = await here.caller("auditor")
        answer = await auditor.ask("POST", f"/api/nft/{path}", content=b"{broken")
        assert refused(answer) == (403, "FORBIDDEN")


async def test_the_table_of_the_day_counts(here: Living) -> None:
    """Last in this file: it changes the table for all."""
    table = [{**row, "volume_usd": str(int(row["volume_usd"]) // 10)} for row in DEFAULT_LEVELS]
    newcomer = await climber(here, "10000")
    assert refused(await newcomer.ask("unlock")) == (403, "NOT_QUALIFIED")
    await here.do(SetConfig(key=LEVELS_KEY, value=table, by="pass:user:root"))
    assert (await newcomer.status())["next"]["required_volume_usd"] == "10000"
    id_ = (await newcomer.asked("unlock"))["upgrade_id"]
    terms = (await newcomer.attempt(id_)).terms
    assert (terms.config_version, terms.required_volume_usd) == (1, "10000")
    await here.do(SetConfig(key=LEVELS_KEY, value=DEFAULT_LEVELS, by="pass:user:root"))
    assert (await newcomer.asked("unlock"))["upgrade_id"] == id_
