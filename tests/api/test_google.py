"""Signing in with Google: which ID tokens prove an account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from embedded.twins.google import CERTS, ISSUER, Google
from embedded.twins.tokens import SigningKey
from tests.api.accounts import CLIENT, email_told, identities, settings, sign_in, token
from tests.api.forging import hmac_signed, spelled
from tests.api.living import Living, living
from tests.api.mailbox import new_email
from tests.api.openapi import operations
from tests.twins.alone import Alone, alone
from tests.world import Database, TestWorld

PAST = 1_700_000_000
FUTURE = 2 * PAST


@pytest.fixture(scope="module")
async def twin() -> AsyncIterator[Alone]:
    async with alone(Google(CLIENT)) as made:
        yield made


@pytest.fixture(scope="module")
async def here(world: TestWorld, twin: Alone) -> AsyncIterator[Living]:
    with world.database() as database:
        async with living(world, database, **settings(twin)) as made:
            yield made


async def refused(here: Living, said: str, status: int = 401) -> dict[str, Any]:
    """The problem that a token leads to, alone and as a link; nothing of it is recorded."""
    caller = await here.caller()
    before = await here.position()
    answer = await here.nobody().post("/auth/google", {"id_token": said})
    linking = await caller.post("/auth/link", {"google": {"id_token": said}})
    assert (answer.status_code, linking.status_code) == (status, status), answer.text
    assert "set-cookie" not in answer.headers
    assert await here.position() == before
    return dict(answer.json())


async def test_an_account_signs_in_and_is_the_same_pass_the_next_time(
    here: Living, twin: Alone
) -> None:
    email = new_email()
    first, second = [await sign_in(here, await token(twin, "101", email)) for _ in range(2)]
    assert first == second == "pass:user:google:101"
    by_mail = here.parts.proofs.emails.identity(email)
    assert await identities(here, first) == ["google:101", by_mail]
    assert await email_told(here, first) == email


async def test_the_published_example_has_the_form_of_what_signs_in(
    here: Living, twin: Alone
) -> None:
    (op,) = (one for one in operations(here.app.openapi()) if one.path == "/auth/google")
    body = {"id_token": await token(twin, "102")}
    answer = await here.nobody().ask(op.method, op.path, json=body)
    assert op.example.keys() == body.keys()
    assert answer.json().keys() == op.schema(200).keys()
    await refused(here, op.example["id_token"])


async def test_an_account_is_its_subject_whatever_its_email_becomes(
    here: Living, twin: Alone
) -> None:
    first, second = new_email(), new_email()
    pass_id = await sign_in(here, await token(twin, "103", first))
    assert await sign_in(here, await token(twin, "103", second)) == pass_id
    assert await sign_in(here, await token(twin, "103")) == pass_id
    assert await email_told(here, pass_id) == second


@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
async def test_both_names_of_the_issuer_are_good(here: Living, twin: Alone, issuer: str) -> None:
    assert await sign_in(here, await token(twin, "104", iss=issuer)) == "pass:user:google:104"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another.apps.example"},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "another.apps.example"]},
        {"aud": None},
        {"iss": "https://accounts.google.com/"},
        {"iss": "http://accounts.google.com"},
        {"iss": "https://auth.farcaster.xyz"},
        {"iss": ["accounts.google.com"]},
        {"iss": None},
        {"exp": PAST},
        {"exp": None},
        {"iat": FUTURE},
        {"nbf": FUTURE},
        {"sub": None},
        {"sub": ""},
        {"sub": 105},
        {"sub": "1 05"},
        {"sub": "105\n"},
        {"sub": "105/1"},
        {"sub": "9" * 256},
        {"sub": ["105"]},
    ],
    ids=lambda claims: str(claims)[:40],
)
async def test_a_token_that_is_not_for_us_or_of_no_account_is_refused(
    here: Living, twin: Alone, claims: dict[str, Any]
) -> None:
    said = {"sub": "105", **claims}
    problem = await refused(here, await token(twin, email=new_email(), **said))
    assert problem["code"] == "UNAUTHENTICATED"
    assert problem["detail"].startswith("This Google ID token was not accepted")


async def test_a_signature_of_another_kind_or_by_another_key_is_refused(
    here: Living, twin: Alone
) -> None:
    good = await token(twin, "106")
    await sign_in(here, good)
    claims = jwt.decode(good, options={"verify_signature": False})
    (key,) = (await twin.client.get(CERTS)).json()["keys"]
    public = jwt.PyJWK(key).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    thief = SigningKey.new(None)
    thief.kid = key["kid"]
    head, _, rest = good.partition(".")
    for forged in (
        f"{spelled({'alg': 'none', 'kid': key['kid']})}.{spelled(claims)}.",
        f"{spelled({'alg': 'none', 'kid': key['kid']})}.{rest}",
        f"{spelled({'alg': 'RS512', 'kid': key['kid']})}.{rest}",
        hmac_signed(claims, public, key["kid"]),
        thief.sign(claims),
        f"{head}.{spelled({**claims, 'sub': '1'})}.{good.rpartition('.')[2]}",
    ):
        await refused(here, forged)


@pytest.mark.parametrize("said", ["", "x", "a.b.c", "e30.W10.c2ln", "e30.e30.c2ln\n", "a" * 5_000])
async def test_what_is_no_token_is_malformed(here: Living, said: str) -> None:
    problem = await refused(here, said, 422)
    assert (problem["code"], bool(problem["fields"])) == ("INVALID_REQUEST", True)


async def test_after_a_rotation_tokens_of_the_new_key_are_good_and_of_the_old_are_not(
    here: Living, twin: Alone
) -> None:
    old = await token(twin, "107")
    await sign_in(here, old)
    await twin.steer("keys", {"rotate": True})
    await sign_in(here, await token(twin, "107"))
    await refused(here, old)


async def test_while_the_host_of_the_keys_is_down_those_known_are_used(
    here: Living, twin: Alone
) -> None:
    good = await token(twin, "108")
    await sign_in(here, good)
    await twin.steer("script", {"match": {"path": CERTS}, "times": 50, "drop": "before"})
    await refused(here, SigningKey.new(None).sign({"iss": ISSUER, "sub": "108"}))
    await sign_in(here, good)
    await twin.steer("reset", {})


async def test_with_no_key_known_and_the_host_down_the_caller_is_asked_to_come_again(
    world: TestWorld, twin: Alone, database: Database
) -> None:
    good = await token(twin, "109")
    async with living(world, database, **settings(twin)) as here:
        down = {"match": {"path": CERTS}, "times": 2, "response": {"status": 500}}
        await twin.steer("script", down)
        assert (await refused(here, good, 503))["code"] == "GOOGLE_UNAVAILABLE"
        await sign_in(here, good)
        await twin.steer("reset", {})


async def test_without_its_setting_the_answer_names_it(
    world: TestWorld, twin: Alone, database: Database
) -> None:
    async with living(world, database) as here:
        problem = await refused(here, await token(twin, "110"), 503)
        assert "MEGA_GOOGLE_CLIENT_ID" in problem["detail"]
        await refused(here, "no token", 422)
