"""Signing in with Google: which ID tokens prove an account, and when its email leads to a pass."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from commands.command import look
from commands.passes import SeePass, email_of
from embedded.twins.google import CERTS, ISSUER, Google
from embedded.twins.tokens import SigningKey
from tests.api.living import Caller, Living, living
from tests.api.mailbox import Mailbox, new_email, proof_of, sign_in_by_mail
from tests.api.openapi import operations
from tests.twins.alone import Alone, alone
from tests.world import Database, TestWorld

CLIENT = "mega.apps.example"
PAST = 1_700_000_000
FUTURE = 2 * PAST


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(scope="module")
async def twin() -> AsyncIterator[Alone]:
    async with alone(Google(CLIENT)) as made:
        yield made


def settings(twin: Alone) -> dict[str, Any]:
    return {"mega_google_client_id": CLIENT, "mega_google_jwks_url": twin.url + CERTS}


@pytest.fixture(scope="module")
async def here(world: TestWorld, twin: Alone, mailbox: Mailbox) -> AsyncIterator[Living]:
    with world.database() as database:
        async with living(world, database, send_mail=mailbox.send, **settings(twin)) as made:
            yield made


async def token(twin: Alone, sub: Any, email: Any = None, **claims: Any) -> str:
    said = {"sub": sub, "email": email, "email_verified": bool(email), **claims}
    return str((await twin.steer("token", {"claims": said}))["token"])


async def sign_in(here: Living, said: str, who: Caller | None = None) -> str:
    """The pass that a token leads to."""
    answer = await (who or here.nobody()).post("/auth/google", {"id_token": said})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["pass_id"])


async def link(here: Living, who: Caller, said: str) -> str:
    answer = await who.post("/auth/link", {"google": {"id_token": said}})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["pass_id"])


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


async def identities(here: Living, pass_id: str) -> list[str]:
    return list((await here.known(pass_id).get("/me")).json()["identities"])


async def email_told(here: Living, pass_id: str) -> str | None:
    return email_of(await look(here.parts.ledger, SeePass(asked=pass_id)), pass_id)


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


async def test_a_verified_email_that_leads_to_a_pass_signs_in_to_it(
    here: Living, twin: Alone, mailbox: Mailbox
) -> None:
    email = new_email()
    older = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    assert await sign_in(here, await token(twin, "111", email.upper())) == older
    assert await sign_in(here, await token(twin, "111")) == older, "also without the email"
    me = (await here.known(older).get("/me")).json()
    assert (me["identities"][1:], me["aliases"]) == (["google:111"], [])


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_email_that_is_not_verified_leads_nowhere(
    here: Living, twin: Alone, mailbox: Mailbox, verified: Any
) -> None:
    email, sub = new_email(), f"112-{verified}"
    older = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    said = await token(twin, sub, email, email_verified=verified)
    pass_id = await sign_in(here, said)
    assert pass_id == f"pass:user:google:{sub}" != older
    assert await identities(here, pass_id) == [f"google:{sub}"]
    assert await email_told(here, pass_id) is None
    ada = await here.caller()
    linked = await token(twin, f"{sub}-b", email, email_verified=verified)
    assert await link(here, ada, linked) == ada.pass_id
    assert (await sign_in_by_mail(here, mailbox, new_email()))["pass_id"] != ada.pass_id


@pytest.mark.parametrize("email", ["stra\u00dfe@mail.example", "no email", 5])
async def test_an_email_that_nobody_can_be_written_to_hinders_no_account(
    here: Living, twin: Alone, email: Any
) -> None:
    pass_id = await sign_in(here, await token(twin, f"113{len(str(email))}", email))
    assert len(await identities(here, pass_id)) == 1


async def test_a_code_by_mail_signs_in_to_the_pass_of_the_account_with_that_email(
    here: Living, twin: Alone, mailbox: Mailbox
) -> None:
    email = new_email()
    pass_id = await sign_in(here, await token(twin, "114", email))
    assert (await sign_in_by_mail(here, mailbox, email))["pass_id"] == pass_id


async def test_a_sign_in_never_merges_two_passes_that_both_are_known(
    here: Living, twin: Alone, mailbox: Mailbox
) -> None:
    """The account is another's of old: its email came to it later."""
    email = new_email()
    older = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    account = await sign_in(here, await token(twin, "115"))
    assert await sign_in(here, await token(twin, "115", email)) == account != older
    assert await email_told(here, account) is None
    linked = await link(here, here.known(account), await token(twin, "115", email))
    assert linked == older, "who asks for it has it"
    assert await sign_in(here, await token(twin, "115")) == older
    assert await email_told(here, account) == email


async def test_a_link_merges_the_pass_of_the_account_and_that_of_its_email(
    here: Living, twin: Alone, mailbox: Mailbox
) -> None:
    email = new_email()
    oldest = await sign_in(here, await token(twin, "116"))
    by_mail = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    ada = await here.caller()
    assert await link(here, ada, await token(twin, "116", email)) == oldest
    me = (await ada.get("/me")).json()
    assert me["pass_id"] == oldest and set(me["aliases"]) == {ada.pass_id, by_mail}


async def test_a_code_links_its_email_and_merges_what_it_led_to(
    here: Living, mailbox: Mailbox
) -> None:
    email, ada, eve = new_email(), await here.caller(), await here.caller()
    linked = await ada.post("/auth/link", {"otp": await proof_of(here, mailbox, email)})
    assert linked.json()["pass_id"] == ada.pass_id
    assert await email_told(here, ada.pass_id) == email
    merged = await eve.post("/auth/link", {"otp": await proof_of(here, mailbox, email)})
    assert merged.json()["pass_id"] == ada.pass_id, "the older survives"
    spent = await eve.post("/auth/link", {"otp": {"email": email, "code": mailbox.code(email)}})
    assert (spent.status_code, spent.json()["code"]) == (401, "OTP_INVALID")


async def test_a_pass_without_an_email_is_written_to_where_the_one_it_absorbs_was(
    here: Living, twin: Alone
) -> None:
    ada, email, said = await here.caller(), new_email(), await token(twin, "117")
    await link(here, ada, said)
    younger = await sign_in(here, await token(twin, "118", email))
    assert await link(here, here.known(younger), said) == ada.pass_id
    assert await email_told(here, ada.pass_id) == email


async def test_an_account_that_signs_in_many_times_at_once_opens_one_pass(
    here: Living, twin: Alone
) -> None:
    said = await token(twin, "119", new_email())
    assert set(await asyncio.gather(*[sign_in(here, said) for _ in range(6)])) == {
        "pass:user:google:119"
    }


def spelled(part: dict[str, Any]) -> str:
    """A part of a token: JSON in base64url."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def hmac_signed(claims: dict[str, Any], secret: bytes, kid: str) -> str:
    signing = f"{spelled({'alg': 'HS256', 'kid': kid})}.{spelled(claims)}"
    proof = hmac.digest(secret, signing.encode(), "sha256")
    return f"{signing}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"
