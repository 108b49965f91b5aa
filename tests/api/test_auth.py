"""Signing in and leaving, over HTTP, on a real ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from api.nonces import LASTS_S, Nonces
from tests.api.opened import HOST, Api, message, new_wallet, opened, signed
from tests.world import Database, TestWorld


@pytest.fixture(scope="module")
async def api(world: TestWorld) -> AsyncIterator[Api]:
    """One for all tests here, each with wallets and users of its own."""
    with world.database() as database:
        async with opened(world, database) as made:
            yield made


async def test_a_wallet_signs_in_and_is_the_same_pass_the_next_time(api: Api) -> None:
    wallet = new_wallet()
    first, second = await api.sign_in(wallet), await api.sign_in(wallet)
    assert first["pass_id"] == f"pass:user:eip155:{wallet.address.lower()}"
    assert second["pass_id"] == first["pass_id"]
    assert first["expires_in"] > 0
    me = await api.get("/me", f"Bearer {second['access_token']}")
    own = {
        "pass_id": first["pass_id"],
        "aliases": [],
        "identities": [f"eip155:{wallet.address.lower()}"],
        "wallets": [{"kind": "evm", "address": wallet.address.lower()}],
        "scopes": ["user"],
    }
    assert own.items() <= me.json().items()


async def test_a_nonce_is_letters_and_digits_and_good_once(api: Api) -> None:
    proof = await api.proof(new_wallet())
    nonce = proof["message"].partition("Nonce: ")[2].partition("\n")[0]
    assert nonce.isalnum()
    assert (await api.post("/auth/siwe", proof)).status_code == 200
    again = await api.post("/auth/siwe", proof)
    assert again.status_code == 401
    assert again.json()["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "given",
    [
        {"domain": "evil.example"},
        {"domain": f"{HOST}:8000"},
        {"uri": "https://evil.example/login"},
        {"chain_id": 1},
        {"more": "\nExpiration Time: 2020-01-01T00:00:00Z"},
        {"more": "\nNot Before: 2100-01-01T00:00:00Z"},
        {"issued_at": "2100-01-01T00:00:00Z"},
    ],
    ids=str,
)
async def test_a_message_for_elsewhere_is_refused_and_its_nonce_is_burnt(
    api: Api, given: dict[str, Any]
) -> None:
    wallet, nonce = new_wallet(), await api.nonce()
    refused = await api.post("/auth/siwe", await api.proof(wallet, nonce=nonce, **given))
    assert refused.status_code == 401, refused.text
    right = await api.post("/auth/siwe", await api.proof(wallet, nonce=nonce))
    assert right.status_code == 401, "a failed try burns its nonce"
    assert (await api.post("/auth/siwe", await api.proof(wallet))).status_code == 200


async def test_a_signature_of_somebody_else_is_refused_and_burns_the_nonce(api: Api) -> None:
    mine, other, nonce = new_wallet(), new_wallet(), await api.nonce()
    text = message(address=mine.address, nonce=nonce, issued_at=api.parts.clock.now())
    assert (await api.post("/auth/siwe", signed(text, other))).status_code == 401
    assert (await api.post("/auth/siwe", signed(text, mine))).status_code == 401


async def test_a_message_changed_after_signing_is_refused(api: Api) -> None:
    proof = await api.proof(new_wallet())
    other = await api.nonce()
    nonce = proof["message"].partition("Nonce: ")[2].partition("\n")[0]
    changed = {**proof, "message": proof["message"].replace(nonce, other)}
    assert (await api.post("/auth/siwe", changed)).status_code == 401


@pytest.mark.parametrize("nonce", ["a1b2c3d4e5f6", "0" * 66, "f" * 66])
async def test_a_nonce_that_is_not_ours_is_refused(api: Api, nonce: str) -> None:
    answer = await api.post("/auth/siwe", await api.proof(new_wallet(), nonce=nonce))
    assert answer.status_code == 401


async def test_a_nonce_is_good_for_ten_minutes_of_the_applications_clock(
    world: TestWorld, database: Database
) -> None:
    async with opened(world, database) as api:
        wallet = new_wallet()
        in_time, too_late = await api.nonce(), await api.nonce()
        await api.parts.clock.advance(timedelta(seconds=LASTS_S - 5))
        answer = await api.post("/auth/siwe", await api.proof(wallet, nonce=in_time))
        assert answer.status_code == 200
        await api.parts.clock.advance(timedelta(seconds=5))
        answer = await api.post("/auth/siwe", await api.proof(wallet, nonce=too_late))
        assert answer.status_code == 401


def test_a_nonce_of_another_deployment_or_with_another_expiry_is_not_ours() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    ours, theirs = Nonces("a" * 32), Nonces("b" * 32)
    nonce = ours.issue(at)
    assert ours.good(nonce, at)
    assert not theirs.good(nonce, at)
    later = f"{nonce[:24]}{int(nonce[24:34], 16) + 600:010x}{nonce[34:]}"
    assert not ours.good(later, at)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": "sign here"},
        {"message": "sign here", "signature": "0x00"},
        {"message": 5, "signature": "0x00"},
        {"message": "sign here", "signature": "0x00", "address": "0x"},
        [],
    ],
    ids=str,
)
async def test_a_malformed_proof_is_422(api: Api, body: Any) -> None:
    answer = await api.post("/auth/siwe", body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "INVALID_REQUEST"
    assert answer.json()["fields"]


async def test_a_malformed_signature_is_422_and_leaves_the_nonce_alone(api: Api) -> None:
    proof = await api.proof(new_wallet())
    answer = await api.post("/auth/siwe", {**proof, "signature": "0xnothex"})
    assert answer.status_code == 422
    assert (await api.post("/auth/siwe", proof)).status_code == 200


async def test_two_tries_with_one_nonce_at_once_open_one_session(api: Api) -> None:
    proof = await api.proof(new_wallet())
    answers = await asyncio.gather(*[api.post("/auth/siwe", proof) for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_an_anonymous_pass_that_signs_in_keeps_its_id(api: Api) -> None:
    opened_ = (await api.post("/auth/anonymous", {})).json()
    assert opened_["pass_id"].startswith("pass:anon:")
    wallet, who = new_wallet(), f"Bearer {opened_['access_token']}"
    signed_in = await api.sign_in(wallet, who)
    assert signed_in["pass_id"] == opened_["pass_id"]
    assert (await api.sign_in(wallet))["pass_id"] == opened_["pass_id"], "also without its token"


async def test_a_second_person_in_the_same_browser_does_not_join_the_first(api: Api) -> None:
    guest = (await api.post("/auth/anonymous", {})).json()
    first = await api.sign_in(new_wallet(), f"Bearer {guest['access_token']}")
    assert first["pass_id"] == guest["pass_id"]
    wallet = new_wallet()
    second = await api.sign_in(wallet, f"Bearer {first['access_token']}")
    assert second["pass_id"] == f"pass:user:eip155:{wallet.address.lower()}"
    me = (await api.get("/me", f"Bearer {first['access_token']}")).json()
    assert wallet.address.lower() not in str(me)


async def test_a_broken_token_beside_a_sign_in_does_not_hinder_it(api: Api) -> None:
    signed_in = await api.sign_in(new_wallet(), "Bearer nonsense")
    assert signed_in["pass_id"].startswith("pass:user:eip155:")


async def test_a_named_pass_beside_a_sign_in_is_not_linked_to_it(api: Api) -> None:
    wallet = new_wallet()
    signed_in = await api.sign_in(wallet, await api.dev("ada"))
    assert signed_in["pass_id"] == f"pass:user:eip155:{wallet.address.lower()}"


async def test_every_sign_in_sets_a_cookie_that_signs_in(api: Api) -> None:
    answer = await api.client.post("/auth/anonymous", json={})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("mega_session=") and "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert "Secure" not in cookie, "development speaks plain HTTP"
    assert (await api.client.get("/me")).json()["pass_id"] == answer.json()["pass_id"]


async def test_outside_development_the_cookie_is_secure_and_nobody_signs_in_as_they_like(
    world: TestWorld, database: Database
) -> None:
    async with opened(world, database, mega_env="prod") as api:
        answer = await api.post("/auth/anonymous", {})
        assert "Secure" in answer.headers["set-cookie"]
        for body in ({"user_id": "ada"}, {}, {"user_id": 5}):
            assert (await api.post("/auth/dev", body)).status_code == 404


async def test_logout_ends_the_session_and_no_other(api: Api) -> None:
    wallet = new_wallet()
    first, second = [f"Bearer {(await api.sign_in(wallet))['access_token']}" for _ in range(2)]
    left = await api.post("/auth/logout", {}, first)
    assert left.status_code == 200
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert (await api.get("/me", first)).status_code == 401
    assert (await api.post("/auth/logout", {}, first)).status_code == 401
    assert (await api.get("/me", second)).status_code == 200


async def test_an_ended_session_stays_ended_for_a_process_that_starts_later(
    world: TestWorld, database: Database
) -> None:
    async with opened(world, database) as api:
        who = await api.dev("ada")
        await api.post("/auth/logout", {}, who)
        await api.project()
    async with opened(world, database) as api:
        assert (await api.get("/me", who)).status_code == 401


@pytest.mark.parametrize("route", ["link", "logout", "socket-token"])
@pytest.mark.parametrize("who", [None, "Bearer forged", "Basic YTpi"])
async def test_without_a_good_token_there_is_nothing_to_link_or_leave(
    api: Api, route: str, who: str | None
) -> None:
    answer = await api.post(f"/auth/{route}", {"nonsense": 1}, who)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_socket_token_opens_no_route(api: Api) -> None:
    answer = await api.post("/auth/socket-token", {}, await api.dev("ada"))
    assert answer.json()["expires_in"] == 60
    assert (await api.get("/me", f"Bearer {answer.json()['token']}")).status_code == 401


@pytest.mark.parametrize(
    "more",
    [
        {"user_id": ""},
        {"user_id": "a b"},
        {"user_id": "a\nb"},
        {"user_id": "x" * 121},
        {"scope": "root"},
        {"fid": 0},
        {"fid": "7"},
        {"fid": 1.5},
        {"expires_in": 0},
        {"expires_in": -5},
        {"expires_in": 32 * 86400},
        {"wallets": ["0x1"]},
        {"wallets": [{"kind": "solana", "address": "0x" + "a" * 40}]},
        {"wallets": [{"kind": "solana", "address": "z" * 44}]},
        {"wallets": "0x" + "a" * 40},
        {"unknown": 1},
    ],
    ids=str,
)
async def test_a_malformed_development_sign_in_is_422(api: Api, more: dict[str, Any]) -> None:
    answer = await api.post("/auth/dev", {"user_id": "ada", **more})
    assert answer.status_code == 422, answer.text


async def test_development_signs_in_anybody_with_what_it_says_of_them(
    api: Api,
) -> None:
    sol, evm = "So11111111111111111111111111111111111111112", "0x" + "Ab" * 20
    who = await api.dev(
        "grace", fid=7, scope="user service", wallets=[evm, {"kind": "solana", "address": sol}]
    )
    me = (await api.get("/me", who)).json()
    assert me["pass_id"] == "pass:user:grace"
    assert me["identities"] == ["fid:7", f"eip155:{evm.lower()}", f"solana:{sol}"]
    assert me["wallets"] == [
        {"kind": "evm", "address": evm.lower()},
        {"kind": "solana", "address": sol},
    ]
    assert me["scopes"] == ["service", "user"]
    with psycopg.connect(api.parts.settings.database) as connection:
        asked = "SELECT mg_aliases FROM mega_customers WHERE mg_pass_id = %s"
        row = connection.execute(asked, ("pass:user:grace",)).fetchone()
    assert row == (me["identities"],)


async def test_idempotency_keys_are_ignored_here(api: Api) -> None:
    headers = {"Idempotency-Key": "k"}
    first, second = [
        (await api.client.post("/auth/anonymous", json={}, headers=headers)).json()
        for _ in range(2)
    ]
    assert first["pass_id"] != second["pass_id"]
