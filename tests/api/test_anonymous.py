"""Passes without any proof: they keep their id when somebody signs in to them, whichever way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from embedded.twins.google import CERTS, Google
from tests.api.living import Caller, Living, living
from tests.api.mailbox import Mailbox, new_email, proof_of, sign_in_by_mail
from tests.twins.alone import Alone, alone
from tests.world import Database, TestWorld

CLIENT = "mega.apps.example"
PUBLIC = "localhost"


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(scope="module")
async def google() -> AsyncIterator[Alone]:
    async with alone(Google(CLIENT)) as made:
        yield made


@pytest.fixture(scope="module")
async def here(world: TestWorld, mailbox: Mailbox, google: Alone) -> AsyncIterator[Living]:
    with world.database() as database:
        own: Any = {"mega_google_client_id": CLIENT, "mega_google_jwks_url": google.url + CERTS}
        async with living(world, database, send_mail=mailbox.send, **own) as made:
            yield made


async def guest_of(here: Living) -> Caller:
    answer = await here.nobody().post("/auth/anonymous", {})
    assert answer.status_code == 200, answer.text
    assert answer.json()["pass_id"].startswith("pass:anon:")
    token = answer.json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return Caller(here.app, answer.json()["pass_id"], "", token, headers)


async def proof(here: Living, mailbox: Mailbox, google: Alone, kind: str) -> dict[str, Any]:
    """A fresh proof of a stranger."""
    email = new_email()
    if kind == "otp/verify":
        return await proof_of(here, mailbox, email)
    claims = {"sub": email.partition("@")[0], "email": email, "email_verified": True}
    return {"id_token": (await google.steer("token", {"claims": claims}))["token"]}


@pytest.mark.parametrize("kind", ["otp/verify", "google"])
async def test_a_guest_who_signs_in_keeps_the_id(
    here: Living, mailbox: Mailbox, google: Alone, kind: str
) -> None:
    guest = await guest_of(here)
    answer = await guest.post(f"/auth/{kind}", await proof(here, mailbox, google, kind))
    assert answer.json()["pass_id"] == guest.pass_id


@pytest.mark.parametrize("kind", ["otp/verify", "google"])
async def test_a_guest_known_by_the_cookie_keeps_the_id_and_a_foreign_page_takes_it_nowhere(
    here: Living, mailbox: Mailbox, google: Alone, kind: str
) -> None:
    transport = httpx.ASGITransport(app=here.app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{PUBLIC}") as browser:
        guest = (await browser.post("/auth/anonymous", json={})).json()["pass_id"]
        kept = browser.cookies["mega_session"]
        for origin, keeps in (("https://evil.example", False), (f"http://{PUBLIC}", True)):
            browser.cookies.clear()
            browser.cookies.set("mega_session", kept, domain="localhost.local")
            body = await proof(here, mailbox, google, kind)
            answer = await browser.post(f"/auth/{kind}", json=body, headers={"Origin": origin})
            assert (answer.json()["pass_id"] == guest) is keeps, origin
            assert ("mega_session" in answer.cookies) is keeps, origin


async def test_whoever_left_a_guests_cookie_in_a_browser_is_not_signed_in_with_its_owner(
    here: Living, mailbox: Mailbox
) -> None:
    transport = httpx.ASGITransport(app=here.app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{PUBLIC}") as browser:
        planted = (await browser.post("/auth/anonymous", json={})).json()
        body = await proof_of(here, mailbox, new_email())
        ours = {"Origin": f"http://{PUBLIC}"}
        answer = await browser.post("/auth/otp/verify", json=body, headers=ours)
        assert answer.json()["pass_id"] == planted["pass_id"]
        assert (await browser.get("/me")).status_code == 200
        browser.cookies.clear()
        left = {"Authorization": f"Bearer {planted['access_token']}"}
        assert (await browser.get("/me", headers=left)).status_code == 401


@pytest.mark.parametrize("kind", ["otp/verify", "google"])
async def test_a_second_person_in_the_same_browser_does_not_join_the_first(
    here: Living, mailbox: Mailbox, google: Alone, kind: str
) -> None:
    guest = await guest_of(here)
    first, second = [
        await guest.post(f"/auth/{kind}", await proof(here, mailbox, google, kind))
        for _ in range(2)
    ]
    assert first.json()["pass_id"] == guest.pass_id
    assert second.json()["pass_id"].startswith("pass:user:")


async def test_a_guest_who_signs_in_to_an_older_pass_becomes_part_of_it(
    here: Living, mailbox: Mailbox
) -> None:
    email = new_email()
    older = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    guest = await guest_of(here)
    assert (await sign_in_by_mail(here, mailbox, email, guest))["pass_id"] == older
    me = (await guest.get("/me")).json()
    assert (me["pass_id"], me["aliases"]) == (older, [guest.pass_id])


async def test_a_guest_who_leaves_is_nobody(here: Living) -> None:
    guest = await guest_of(here)
    assert (await guest.post("/auth/logout", {})).status_code == 200
    assert (await guest.get("/me")).status_code == 401


async def test_nobody_opens_passes_without_end(world: TestWorld, database: Database) -> None:
    async with living(world, database, mega_rate_limits="ip=3/h") as here:
        answers = [await here.nobody().post("/auth/anonymous", {}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
