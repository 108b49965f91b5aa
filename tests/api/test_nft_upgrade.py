"""`POST /api/nft/upgrade` and `GET /api/nft/upgrades/{id}`: the next level, and how it came."""

from __future__ import annotations

import asyncio
import base64
import secrets
from dataclasses import replace
from typing import Any

import pytest
from solders.transaction import VersionedTransaction

from api.app import create_app
from tests.api.climbers import Climber, climber
from tests.api.geoplets import refused
from tests.api.living import Living

TWO = ("early-bird", "whale")


@pytest.fixture
async def ada(here: Living) -> Climber:
    """At level 1, and qualified for 2."""
    made = await climber(here, "600000", *TWO)
    await made.unlocked()
    return made


async def shown(who: Any, id_: str, **query: Any) -> dict[str, Any]:
    answer = await who.get(f"/api/nft/upgrades/{id_}", **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def now(climber: Climber, id_: str) -> dict[str, Any]:
    return await shown(climber.caller, id_, min_position=await climber.here.position())


async def test_the_wallet_pays_for_the_burn_and_is_its_only_signer(ada: Climber) -> None:
    told = await ada.asked("upgrade")
    assert told.keys() == {"upgrade_id", "burn_transactionBase64", "expires_at"}
    given = VersionedTransaction.from_bytes(base64.b64decode(told["burn_transactionBase64"]))
    assert str(given.message.account_keys[0]) == ada.wallet
    assert given.message.header.num_required_signatures == 1
    terms = (await ada.attempt(told["upgrade_id"])).terms
    assert terms.burns in [str(key) for key in given.message.account_keys]
    assert f"mega:burn:{told['upgrade_id']}".encode() in bytes(given.message)


async def test_volume_and_badges_are_both_asked_for(here: Living) -> None:
    short = await climber(here, "499999.99", "early-bird")
    await short.unlocked()
    answer = await short.ask("upgrade")
    assert refused(answer) == (403, "NOT_QUALIFIED")
    told = answer.json()
    assert told["requirements"] == {"level": 2, "volume_usd": "500000", "badges": 2}
    assert told["progress"]["missing"] == ["volume", "badges"]
    await short.trade("0.01")
    await short.earn("whale")
    await short.earn("whale", action="revoked")
    assert (await short.ask("upgrade")).json()["progress"]["missing"] == ["badges"]
    await short.earn("patron")
    assert (await short.ask("upgrade")).status_code == 200


async def test_levels_are_never_skipped(here: Living) -> None:
    rich = await climber(here, "50000000", *(f"badge {n}" for n in range(20)))
    await rich.unlocked()
    id_ = (await rich.asked("upgrade"))["upgrade_id"]
    assert (await rich.attempt(id_)).terms.level == 2
    assert len((await rich.attempt(id_)).terms.badges) == 2


async def test_badges_that_were_consumed_do_not_count_again(here: Living) -> None:
    bob = await climber(here, "5000000", *TWO, "third", "fourth", "fifth")
    await bob.mint(await bob.owed())
    answer = await bob.ask("upgrade")
    assert refused(answer) == (403, "NOT_QUALIFIED")
    assert answer.json()["progress"]["badges"] == 3


async def test_without_a_token_there_is_nothing_to_upgrade(here: Living, ada: Climber) -> None:
    newcomer = await climber(here)
    assert refused(await newcomer.ask("upgrade")) == (409, "NO_TOKEN")
    await newcomer.asked("unlock")
    assert refused(await newcomer.ask("upgrade")) == (409, "NO_TOKEN")
    token = (await ada.upgrade()).token
    assert token
    here.levels.lost.add(token.mint)
    assert refused(await ada.ask("upgrade")) == (409, "NO_TOKEN")


async def test_while_a_token_is_owed_nothing_more_is_begun(here: Living) -> None:
    bob = await climber(here, "600000", *TWO)
    await bob.owed()
    assert refused(await bob.ask("upgrade")) == (409, "UPGRADE_UNDERWAY")


async def test_upgrades_that_race_are_one(ada: Climber) -> None:
    answers = await asyncio.gather(*(ada.ask("upgrade") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len((await ada.upgrade()).attempts) == 2


async def test_an_upgrade_is_asked_for_again_when_sol_was_added(ada: Climber) -> None:
    first = await ada.asked("upgrade")
    id_ = first["upgrade_id"]
    await ada.hand_in(id_, signedTransactionBase64=ada.sign(first))
    await ada.fail(id_, "ADD_SOL")
    told = await now(ada, id_)
    assert (told["state"], told["reason_class"]) == ("failed", "ADD_SOL")
    assert "add SOL" in told["reason"]
    assert await ada.asked("upgrade") == first
    assert (await now(ada, id_))["state"] == "prepared"


async def test_a_key_gives_the_first_answer_again(ada: Climber) -> None:
    key = secrets.token_hex(8)
    first = await ada.ask("upgrade", key=key)
    await ada.burn(first.json()["upgrade_id"])
    again = await ada.ask("upgrade", key=key)
    assert (again.status_code, again.text) == (200, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"


# One upgrade, as it is shown.


async def test_an_upgrade_is_told_from_request_to_token(ada: Climber) -> None:
    prepared = await ada.asked("upgrade")
    id_ = prepared["upgrade_id"]
    await ada.hand_in(id_, signedTransactionBase64=ada.sign(prepared))
    await ada.burn(id_)
    await ada.sign_mint(id_)
    await ada.fail_mint(id_, 5)
    terms = (await ada.attempt(id_)).terms
    told = await now(ada, id_)
    assert (told["state"], told["reason_class"], told["attempts"]) == ("recovery", "SUPPORT", 5)
    assert told["next_try_at"].endswith("Z")
    await ada.mint(id_)
    told = await now(ada, id_)
    assert told.pop("timeline")[0].keys() == {"event", "event_id", "state", "at"}
    assert told == {
        "upgrade_id": id_,
        "recipe": "nft_upgrade",
        "state": "minted",
        "level": 2,
        "reason_class": None,
        "reason": None,
        "wallet": ada.wallet,
        "burns": terms.burns,
        "mint": terms.mint,
        "metadata_uri": f"ipfs://{terms.cid}",
        "evidence": {
            "volume_usd": "600000",
            "required_volume_usd": "500000",
            "badges": [f"{ada.wallet}/{name}" for name in TWO],
            "config_version": 0,
        },
        "burn_signature": f"burn-{id_}",
        "mint_signature": f"mint-{id_}",
        "attempts": 5,
        "next_try_at": None,
        "expires_at": prepared["expires_at"],
    }


async def test_the_timeline_has_every_state_in_order(ada: Climber) -> None:
    prepared = await ada.asked("upgrade")
    id_ = prepared["upgrade_id"]
    await ada.hand_in(id_, signedTransactionBase64=ada.sign(prepared))
    await ada.burn(id_)
    await ada.sign_mint(id_)
    await ada.mint(id_)
    moments = (await now(ada, id_))["timeline"]
    assert [(moment["event"], moment["state"]) for moment in moments] == [
        ("upgrade_requested", "prepared"),
        ("upgrade_prepared", "prepared"),
        ("upgrade_submitted", "submitted"),
        ("burn_confirmed", "burn_confirmed"),
        ("level_mint_signed", "mint_submitted"),
        ("level_minted", "minted"),
    ]
    stream = f"upgrade:{ada.caller.pass_id}"
    assert all(moment["event_id"].startswith(f"{stream}/") for moment in moments)


async def test_it_is_told_as_it_was(here: Living, ada: Climber) -> None:
    before = await here.position()
    asked = await ada.ask("upgrade")
    id_, prepared = asked.json()["upgrade_id"], int(asked.headers["X-Ledger-Position"])
    await ada.burn(id_)
    path = f"/api/nft/upgrades/{id_}"
    assert (await shown(ada.caller, id_, as_of=prepared))["state"] == "prepared"
    auditor = await here.caller("auditor")
    head = await here.position()
    assert (await shown(auditor, id_, min_position=head))["state"] == "burn_confirmed"
    assert (await shown(auditor, id_, as_of=prepared))["state"] == "prepared"
    assert refused(await ada.caller.get(path, as_of=before)) == (404, "NOT_FOUND")
    zoneless = await ada.caller.get(path, as_of="2030-01-01T00:00:00")
    assert refused(zoneless) == (422, "INVALID_REQUEST")


async def test_nobody_else_is_told(here: Living, ada: Climber) -> None:
    id_ = (await ada.asked("upgrade"))["upgrade_id"]
    mallory = await climber(here)
    path = f"/api/nft/upgrades/{id_}"
    assert refused(await mallory.caller.get(path)) == (404, "NOT_FOUND")
    assert refused(await here.nobody().get(path)) == (401, "UNAUTHENTICATED")
    for odd in ("7e57", "not-a-uuid", "%00", id_.upper()):
        answer = await ada.caller.get(f"/api/nft/upgrades/{odd}")
        assert refused(answer)[0] in (404, 422), odd
    before = await here.position()
    answer = await mallory.hand_in(id_, signature="1" * 64)
    assert refused(answer) == (404, "NOT_FOUND")
    assert await here.position() == before


async def test_what_failed_before_it_landed_names_its_class(here: Living) -> None:
    bob = await climber(here)
    id_ = (await bob.asked("unlock"))["upgrade_id"]
    await bob.lapse(id_)
    told = await now(bob, id_)
    assert (told["state"], told["reason_class"], told["level"]) == ("failed", "RETRYING", 1)
    assert (told["burns"], told["burn_signature"], told["mint_signature"]) == (None, None, None)


async def test_the_exchange_is_one_transaction_for_both(here: Living, ada: Climber) -> None:
    exchanging = replace(here.parts.levels, recipe="nft_exchange")
    ada.caller.app = create_app(replace(here.parts, levels=exchanging))
    id_ = (await ada.asked("upgrade"))["upgrade_id"]
    await ada.mint(id_)
    told = await now(ada, id_)
    names = [moment["event"] for moment in told["timeline"]]
    assert (told["state"], names[-2:]) == ("minted", ["burn_confirmed", "level_minted"])
    assert (await ada.status())["level"] == 2
