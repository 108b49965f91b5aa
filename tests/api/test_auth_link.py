"""Linking identities and merging passes: the older survives, and nothing of either is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from tests.api import paid
from tests.api.opened import Api, new_wallet, opened
from tests.world import TestWorld


@pytest.fixture(scope="module")
async def api(world: TestWorld) -> AsyncIterator[Api]:
    """One for all tests here, each with wallets and users of its own."""
    with world.database() as database:
        async with opened(world, database) as made:
            yield made


async def with_wallet(api: Api, wallet: LocalAccount) -> str:
    return f"Bearer {(await api.sign_in(wallet))['access_token']}"


async def link(api: Api, who: str, wallet: LocalAccount) -> dict[str, Any]:
    answer = await api.post("/auth/link", {"siwe": await api.proof(wallet)}, who)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def create(api: Api, who: str, role: str) -> dict[str, Any]:
    answer = await api.post("/characters", {"role": role, "kind": "role"}, who)
    assert answer.status_code in (200, 201), answer.text
    body: dict[str, Any] = answer.json()
    return body


async def listed(api: Api, who: str) -> set[str]:
    answer = await api.get("/characters", who)
    return {item["id"] for item in answer.json()["items"]}


async def test_a_wallet_is_linked_to_the_pass_that_asks(api: Api) -> None:
    who, wallet = await api.dev("link-a"), new_wallet()
    linked = await link(api, who, wallet)
    assert linked["pass_id"] == "pass:user:link-a"
    assert (await api.sign_in(wallet))["pass_id"] == "pass:user:link-a"
    me = (await api.get("/me", who)).json()
    assert me["wallets"] == [{"kind": "evm", "address": wallet.address.lower()}]
    again = await link(api, who, wallet)
    assert again["pass_id"] == "pass:user:link-a"


async def test_a_link_gives_no_scope_and_no_time_beyond_the_callers(api: Api) -> None:
    who = await api.dev("link-b", scope="user service", expires_in=100)
    linked = await link(api, who, new_wallet())
    assert 0 < linked["expires_in"] <= 100
    me = (await api.get("/me", f"Bearer {linked['access_token']}")).json()
    assert me["scopes"] == ["service", "user"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"google": {"id_token": "x"}},
        {"otp": {"email": "a@b.example", "code": "12345"}},
        {"otp": {"email": "a@b", "code": "123456"}},
        {"google": None},
        {"email": "a@b.example"},
        {"siws": {"address": "x", "message": "y", "signature": "z"}},
        {"farcaster": {"token": "x"}},
        {"farcaster": None},
        {"siwe": None},
        {"siwe": {"message": "x", "signature": "0x00"}, "farcaster": {"token": "x"}},
        {"siwe": {"message": "x", "signature": "0x00"}, "google": {"id_token": "x"}},
        {"siwe": {"message": "x", "signature": "0x00"}},
    ],
    ids=str,
)
async def test_no_proof_two_proofs_or_an_unknown_one_is_422(api: Api, body: Any) -> None:
    answer = await api.post("/auth/link", body, await api.dev("link-c"))
    assert answer.status_code == 422, answer.text


async def test_two_proofs_are_refused_although_one_of_them_is_good(api: Api) -> None:
    who, proof = await api.dev("link-e"), await api.proof(new_wallet())
    both = {"siwe": proof, "farcaster": {"token": "e30.e30.c2ln"}}
    answer = await api.post("/auth/link", both, who)
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "body")
    assert (await api.get("/me", who)).json()["wallets"] == []
    assert (await api.post("/auth/link", {"siwe": proof}, who)).status_code == 200


async def test_a_refused_proof_links_nothing(api: Api) -> None:
    who, wallet = await api.dev("link-d"), new_wallet()
    proof = await api.proof(wallet, domain="evil.example")
    assert (await api.post("/auth/link", {"siwe": proof}, who)).status_code == 401
    assert (await api.get("/me", who)).json()["wallets"] == []


async def test_merged_passes_are_one_under_every_token_and_name(api: Api) -> None:
    first, second = new_wallet(), new_wallet()
    older, younger = await with_wallet(api, first), await with_wallet(api, second)
    by_older = await create(api, older, "samurai")
    by_younger = [await create(api, younger, role) for role in ("samurai", "oracle")]
    order = await api.post(f"/characters/{by_younger[1]['id']}/mint-orders", {}, younger)
    assert order.status_code == 201

    merged = await link(api, younger, first)
    survivor = f"pass:user:eip155:{first.address.lower()}"
    assert merged["pass_id"] == survivor, "the older pass survives, whoever asks"
    await api.project()
    all_three = {by_older["id"], *(one["id"] for one in by_younger)}
    for who in (older, younger, f"Bearer {merged['access_token']}"):
        me = (await api.get("/me", who)).json()
        assert me["pass_id"] == survivor
        assert me["aliases"] == [f"pass:user:eip155:{second.address.lower()}"]
        assert {w["address"] for w in me["wallets"]} == {
            first.address.lower(),
            second.address.lower(),
        }
        assert await listed(api, who) == all_three
        assert (await api.get(f"/mint-orders/{order.json()['order_id']}", who)).status_code == 200
    assert (await api.sign_in(second))["pass_id"] == survivor


async def test_a_merged_pass_never_gets_a_second_character_of_a_role(api: Api) -> None:
    """Not even when the one it has came to it through two merges."""
    wallets = [new_wallet() for _ in range(3)]
    oldest, middle, youngest = [await with_wallet(api, wallet) for wallet in wallets]
    owned = await create(api, youngest, "oracle")
    await link(api, middle, wallets[2])
    await link(api, oldest, wallets[1])
    await api.project()
    for who in (oldest, middle, youngest):
        assert (await api.get("/me", who)).json()["pass_id"].endswith(wallets[0].address.lower())
        assert await listed(api, who) == {owned["id"]}
        again = await create(api, who, "oracle")
        assert again["id"] == owned["id"]


async def test_of_two_characters_of_a_role_the_one_that_is_paid_for_is_the_one(api: Api) -> None:
    older = await api.dev("twice")
    await create(api, older, "samurai")
    bought = await paid.order(api, "twice-2")
    await paid.pay(api, bought)
    wallet = new_wallet()
    for who in (older, bought.who):
        await link(api, who, wallet)
    again = await create(api, older, "samurai")
    assert (again["id"], again["mint_paid"]) == (bought.character_id, True)


async def test_an_anonymous_pass_with_a_character_merges_into_the_wallets_older_pass(
    api: Api,
) -> None:
    wallet = new_wallet()
    named = await with_wallet(api, wallet)
    guest = (await api.post("/auth/anonymous", {})).json()
    guest_token = f"Bearer {guest['access_token']}"
    made = await create(api, guest_token, "wanderer")
    signed_in = await api.sign_in(wallet, guest_token)
    assert signed_in["pass_id"] == f"pass:user:eip155:{wallet.address.lower()}"
    await api.project()
    for who in (named, guest_token):
        assert await listed(api, who) == {made["id"]}


async def test_two_passes_that_link_each_other_at_once_end_as_one(api: Api) -> None:
    wallets = [new_wallet(), new_wallet()]
    tokens = [await with_wallet(api, wallet) for wallet in wallets]
    proofs = [await api.proof(wallet) for wallet in reversed(wallets)]
    answers = await asyncio.gather(
        *[
            api.post("/auth/link", {"siwe": proof}, who)
            for proof, who in zip(proofs, tokens, strict=True)
        ]
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    named = {(await api.get("/me", who)).json()["pass_id"] for who in tokens}
    assert named == {f"pass:user:eip155:{wallets[0].address.lower()}"}


async def test_a_wallet_signing_in_for_the_first_time_twice_at_once_opens_one_pass(
    api: Api,
) -> None:
    wallet = new_wallet()
    proofs = [await api.proof(wallet) for _ in range(6)]
    answers = await asyncio.gather(*[api.post("/auth/siwe", proof) for proof in proofs])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["pass_id"] for answer in answers}) == 1
    assert len({answer.json()["access_token"] for answer in answers}) == 6
