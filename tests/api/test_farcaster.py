"""Signing in with Farcaster Quick Auth: which tokens prove a fid, and whose pass it leads to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from embedded.twins.farcaster import ISSUER, Farcaster
from embedded.twins.tokens import SigningKey
from tests.api.forging import hmac_signed, spelled
from tests.api.living import Caller, Living, living
from tests.api.openapi import operations
from tests.twins.alone import Alone, alone
from tests.world import Database, TestWorld

HOST = "mega.example"
JWKS = "/.well-known/jwks.json"
PAST = 1_700_000_000
FUTURE = 2 * PAST


@pytest.fixture(scope="module")
async def twin() -> AsyncIterator[Alone]:
    async with alone(Farcaster(HOST)) as made:
        yield made


@pytest.fixture(scope="module")
async def here(world: TestWorld, twin: Alone) -> AsyncIterator[Living]:
    with world.database() as database:
        given = {"mega_public_host": HOST, "mega_farcaster_jwks_url": twin.url + JWKS}
        async with living(world, database, **given) as made:
            yield made


async def token(twin: Alone, **claims: Any) -> str:
    return str((await twin.steer("token", {"claims": claims}))["token"])


async def sign_in(here: Living, said: str, who: Caller | None = None) -> dict[str, Any]:
    answer = await (who or here.nobody()).post("/auth/farcaster", {"token": said})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def refused(here: Living, said: str, status: int = 401) -> dict[str, Any]:
    """The problem that a token leads to, alone and as a link; nothing of it is recorded."""
    caller = await here.caller()
    before = await here.position()
    answer = await here.nobody().post("/auth/farcaster", {"token": said})
    linking = await caller.post("/auth/link", {"farcaster": {"token": said}})
    assert (answer.status_code, linking.status_code) == (status, status), answer.text
    assert "set-cookie" not in answer.headers
    assert await here.position() == before
    return dict(answer.json())


async def test_a_fid_signs_in_and_is_the_same_pass_the_next_time(here: Living, twin: Alone) -> None:
    first, second = [await sign_in(here, await token(twin, sub=101)) for _ in range(2)]
    assert first["pass_id"] == second["pass_id"] == "pass:user:fid:101"
    assert first.keys() == {"access_token", "expires_in", "pass_id"}
    me = await here.known(first["pass_id"]).get("/me")
    assert me.json()["identities"] == ["fid:101"]


async def test_the_published_example_has_the_form_of_what_signs_in(
    here: Living, twin: Alone
) -> None:
    (op,) = (one for one in operations(here.app.openapi()) if one.path == "/auth/farcaster")
    body = {"token": await token(twin)}
    answer = await here.nobody().ask(op.method, op.path, json=body)
    assert op.example.keys() == body.keys()
    assert answer.json().keys() == op.schema(200).keys()
    await refused(here, op.example["token"])


async def test_a_fid_as_text_is_the_fid_as_number(here: Living, twin: Alone) -> None:
    as_number = await sign_in(here, await token(twin, sub=102))
    as_text = await sign_in(here, await token(twin, sub="102"))
    assert as_text["pass_id"] == as_number["pass_id"] == "pass:user:fid:102"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "evil.example"},
        {"aud": f"{HOST}:8000"},
        {"aud": [HOST, "evil.example"]},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": PAST},
        {"exp": None},
        {"exp": "soon"},
        {"iat": FUTURE},
        {"iat": "now"},
        {"nbf": FUTURE},
        {"sub": None},
        {"sub": 0},
        {"sub": -5},
        {"sub": 7.5},
        {"sub": True},
        {"sub": "0107"},
        {"sub": "7 "},
        {"sub": "٧"},
        {"sub": "ada"},
        {"sub": ["7"]},
        {"sub": 2**63},
    ],
    ids=str,
)
async def test_a_token_that_is_not_for_us_or_of_no_fid_is_refused(
    here: Living, twin: Alone, claims: dict[str, Any]
) -> None:
    problem = await refused(here, await token(twin, **claims))
    assert problem["code"] == "UNAUTHENTICATED"
    assert problem["detail"].startswith("This Farcaster token was not accepted")


async def test_the_fid_is_not_the_callers_to_choose(here: Living, twin: Alone) -> None:
    body = {"token": await token(twin), "fid": 5}
    assert (await here.nobody().post("/auth/farcaster", body)).status_code == 422


async def test_a_signature_of_another_kind_or_by_another_key_is_refused(
    here: Living, twin: Alone
) -> None:
    good = await token(twin, sub=103)
    await sign_in(here, good)
    claims = jwt.decode(good, options={"verify_signature": False})
    (key,) = (await twin.client.get(JWKS)).json()["keys"]
    public = jwt.PyJWK(key).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    thief = SigningKey.new(None)
    thief.kid = key["kid"]
    head, _, rest = good.partition(".")
    changed = spelled({**claims, "sub": 1})
    for forged in (
        jwt.encode(claims, None, algorithm="none", headers={"kid": key["kid"]}),
        f"{spelled({'alg': 'none', 'kid': key['kid']})}.{rest}",
        f"{spelled({'alg': 'RS512', 'kid': key['kid']})}.{rest}",
        f"{spelled({'kid': key['kid']})}.{rest}",
        hmac_signed(claims, public, key["kid"]),
        thief.sign(claims),
        f"{head}.{changed}.{good.rpartition('.')[2]}",
        f"{head}.{spelled(claims)}.",
    ):
        await refused(here, forged)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "x",
        "a.b",
        "a.b.c",
        "e30.e30.e30.e30",
        "W10.e30.c2ln",
        "e30.W10.c2ln",
        "e30.bm90IGpzb24.c2ln",
        "e30.e30.c2ln\n",
        "e30.e30.c2l+",
        "eyJraWQiOjF9.e30.c2ln",
        "e30." + "e30" * 2_000 + ".c2ln",
    ],
    ids=lambda said: said[:30],
)
async def test_what_is_no_token_is_malformed(here: Living, said: str) -> None:
    problem = await refused(here, said, 422)
    assert (problem["code"], bool(problem["fields"])) == ("INVALID_REQUEST", True)


async def test_after_a_rotation_tokens_of_the_new_key_are_good_at_once(
    here: Living, twin: Alone
) -> None:
    await sign_in(here, await token(twin, sub=104))
    for _ in range(2):
        old = await token(twin, sub=104)
        await twin.steer("keys", {"rotate": True})
        await sign_in(here, await token(twin, sub=104))
    await refused(here, old)


async def test_while_the_host_of_the_keys_is_down_those_known_are_used(
    here: Living, twin: Alone
) -> None:
    good = await token(twin, sub=105)
    await sign_in(here, good)
    down = {"match": {"path": JWKS}, "times": 50, "drop": "before"}
    await twin.steer("script", down)
    stranger = SigningKey.new(None)
    await refused(here, stranger.sign({"iss": ISSUER, "sub": 105}))
    await sign_in(here, good)
    await twin.steer("reset", {})


async def test_with_no_key_known_and_the_host_down_the_caller_is_asked_to_come_again(
    world: TestWorld, twin: Alone, database: Database
) -> None:
    good = await token(twin, sub=106)
    given = {"mega_public_host": HOST, "mega_farcaster_jwks_url": twin.url + JWKS}
    async with living(world, database, **given) as here:
        match = {"path": JWKS}
        await twin.steer("script", {"match": match, "times": 2, "response": {"status": 500}})
        problem = await refused(here, good, 503)
        assert problem["code"] == "FARCASTER_UNAVAILABLE"
        await sign_in(here, good)
        await twin.steer("reset", {})


async def test_without_its_setting_the_answer_names_it(world: TestWorld, twin: Alone) -> None:
    with world.database() as database:
        async with living(world, database, mega_public_host=HOST) as here:
            problem = await refused(here, await token(twin), 503)
            assert "MEGA_FARCASTER_JWKS_URL" in problem["detail"]
            await refused(here, "no token", 422)


async def test_a_clock_moved_ahead_in_development_hinders_nobody(
    world: TestWorld, twin: Alone, database: Database
) -> None:
    """Tokens issued before stay valid, and those of a twin that went along are good at once."""
    given = {"mega_public_host": HOST, "mega_farcaster_jwks_url": twin.url + JWKS}
    async with living(world, database, **given) as here:
        before = await token(twin, sub=107)
        day = timedelta(days=1)
        at = here.parts.clock.now() + day
        ahead = await token(twin, sub=107, iat=int(at.timestamp()), exp=int(at.timestamp()) + 3_600)
        await refused(here, ahead)
        await here.parts.clock.advance(day)
        for said in (before, ahead):
            await sign_in(here, said)


async def test_a_guest_who_signs_in_keeps_the_id_and_a_second_person_does_not_join(
    here: Living, twin: Alone
) -> None:
    guest = (await here.nobody().post("/auth/anonymous", {})).json()
    who = here.known(guest["pass_id"])
    assert (await sign_in(here, await token(twin, sub=108), who))["pass_id"] == guest["pass_id"]
    assert (await sign_in(here, await token(twin, sub=108)))["pass_id"] == guest["pass_id"]
    second = await sign_in(here, await token(twin, sub=109), who)
    assert second["pass_id"] == "pass:user:fid:109"


async def test_a_fid_is_linked_to_the_pass_that_asks_and_signs_in_to_it(
    here: Living, twin: Alone
) -> None:
    ada, said = await here.caller("user service"), await token(twin, sub=110)
    for _ in range(2):
        linked = (await ada.post("/auth/link", {"farcaster": {"token": said}})).json()
        assert linked["pass_id"] == ada.pass_id
    assert (await sign_in(here, said))["pass_id"] == ada.pass_id
    me = (await ada.get("/me")).json()
    assert me["identities"] == [f"eip155:{ada.wallet}", "fid:110"]


async def test_linking_a_fid_of_another_pass_merges_the_two_and_the_older_survives(
    here: Living, twin: Alone
) -> None:
    older = await sign_in(here, await token(twin, sub=111))
    ada = await here.caller()
    body = {"farcaster": {"token": await token(twin, sub=111)}}
    merged = (await ada.post("/auth/link", body)).json()
    assert merged["pass_id"] == older["pass_id"] == "pass:user:fid:111"
    assert (await ada.get("/me")).json()["aliases"] == [ada.pass_id]
