"""People with accounts of Google, and what their tokens lead to."""

from __future__ import annotations

from typing import Any

from commands.command import look
from commands.passes import SeePass, email_of
from embedded.twins.google import CERTS
from tests.api.living import Caller, Living
from tests.twins.alone import Alone

CLIENT = "mega.apps.example"


def settings(twin: Alone) -> dict[str, Any]:
    return {"mega_google_client_id": CLIENT, "mega_google_jwks_url": twin.url + CERTS}


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


async def identities(here: Living, pass_id: str) -> list[str]:
    return list((await here.known(pass_id).get("/me")).json()["identities"])


async def email_told(here: Living, pass_id: str) -> str | None:
    return email_of(await look(here.parts.ledger, SeePass(asked=pass_id)), pass_id)
