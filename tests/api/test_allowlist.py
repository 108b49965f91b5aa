"""Administrators say how many PFPs each wallet may mint."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from solders.keypair import Keypair

from commands.allowances import SeeAllowance
from commands.command import look
from domain.allowance import ALLOWED_MAX, Allowance, allowance_stream
from tests.api.living import Caller, Living

PATH = "/admin/allowlist"


def wallet() -> str:
    return str(Keypair().pubkey())


@pytest.fixture
async def root(here: Living) -> Caller:
    return await here.caller("admin")


async def allowed(here: Living, address: str) -> int | None:
    seen = await look(here.parts.ledger, SeeAllowance(wallet=address))
    return seen.get(Allowance, allowance_stream(address)).allowed


def listed(*items: tuple[str, Any]) -> dict[str, Any]:
    return {"items": [{"wallet": address, "allowed": count} for address, count in items]}


async def test_what_is_allowed_is_set_and_set_again(here: Living, root: Caller) -> None:
    ada, ben = wallet(), wallet()
    answer = await root.post(PATH, listed((ada, 10), (ben, 0)))
    assert (answer.status_code, answer.json()) == (200, {"wallets": 2})
    assert int(answer.headers["X-Ledger-Position"]) == await here.position()
    await root.post(PATH, listed((ben, ALLOWED_MAX)))
    assert (await allowed(here, ada), await allowed(here, ben)) == (10, ALLOWED_MAX)


async def test_a_thousand_are_set_at_once_and_no_more(here: Living, root: Caller) -> None:
    many = [(wallet(), 1) for _ in range(1_001)]
    refused = await root.post(PATH, listed(*many))
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "body.items")
    assert (await root.post(PATH, listed(*many[1:]))).json() == {"wallets": 1_000}
    assert [await allowed(here, many[n][0]) for n in (0, 1, 1_000)] == [None, 1, 1]


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ({"wallet": "", "allowed": 1}, "wallet"),
        ({"wallet": "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A", "allowed": 1}, "wallet"),
        ({"wallet": "1" * 31, "allowed": 1}, "wallet"),
        ({"wallet": "z" * 44, "allowed": 1}, "wallet"),
        ({"wallet": "1" * 10_000, "allowed": 1}, "wallet"),
        ({"wallet": 7, "allowed": 1}, "wallet"),
        ({"wallet": "1" * 32, "allowed": -1}, "allowed"),
        ({"wallet": "1" * 32, "allowed": ALLOWED_MAX + 1}, "allowed"),
        ({"wallet": "1" * 32, "allowed": 1.0}, "allowed"),
        ({"wallet": "1" * 32, "allowed": "1"}, "allowed"),
        ({"wallet": "1" * 32, "allowed": True}, "allowed"),
        ({"wallet": "1" * 32, "allowed": None}, "allowed"),
        ({"wallet": "1" * 32}, "allowed"),
        ({"wallet": "1" * 32, "allowed": 1, "note": ""}, "note"),
    ],
    ids=str,
)
async def test_a_bad_item_is_named_by_its_place_and_nothing_is_set(
    here: Living, root: Caller, item: dict[str, Any], place: str
) -> None:
    good = wallet()
    body = listed((good, 1))
    body["items"].append(item)
    answer = await root.post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert [one["field"] for one in answer.json()["fields"]] == [f"body.items.1.{place}"]
    assert await allowed(here, good) is None


async def test_a_wallet_named_twice_is_refused(here: Living, root: Caller) -> None:
    ada, ben = wallet(), wallet()
    answer = await root.post(PATH, listed((ada, 1), (ben, 1), (ada, 1)))
    (field,) = answer.json()["fields"]
    assert (answer.status_code, field["field"]) == (422, "body.items.2.wallet")
    assert await allowed(here, ada) is None


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": {}}, {"items": [[]]}, []], ids=str)
async def test_what_is_no_list_is_refused(root: Caller, body: Any) -> None:
    answer = await root.post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


async def test_a_key_gives_the_first_answer_again_and_each_call_is_recorded(
    here: Living, root: Caller
) -> None:
    ada, key = wallet(), secrets.token_hex(8)
    first = await root.post(PATH, listed((ada, 3)), Idempotency_Key=key)
    await root.post(PATH, listed((ada, 5)))
    before = await here.position()
    again = await root.post(PATH, listed((ada, 3)), Idempotency_Key=key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Ledger-Position"] == first.headers["X-Ledger-Position"]
    assert (await allowed(here, ada), await here.position()) == (5, before + 1)
    reused = await root.post(PATH, listed((ada, 4)), Idempotency_Key=key)
    assert reused.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("scope", ["user", "service", "auditor"])
async def test_only_administrators_may(here: Living, scope: str) -> None:
    other = await here.caller(scope)
    before = await here.position()
    answer = await other.post(PATH, listed((wallet(), 3)))
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert await here.position() == before
