"""Google's shapes: the twin's keys and its ID tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt

from embedded.twins.google import CERTS, ISSUER, Google
from tests.twins.alone import Alone, alone

CLIENT = "mina.apps.googleusercontent.com"


async def the_key(twin: Alone) -> dict[str, Any]:
    answer = await twin.client.get(CERTS)
    assert "max-age=" in answer.headers["cache-control"]
    (key,) = answer.json()["keys"]
    return dict(key)


async def token(twin: Alone, **claims: Any) -> str:
    return str((await twin.steer("token", {"claims": claims}))["token"])


async def test_a_token_is_for_the_client_and_its_key_proves_it() -> None:
    async with alone(Google(CLIENT)) as twin:
        said, key = await token(twin, email="ada@example.com"), await the_key(twin)
        claims = jwt.decode(said, jwt.PyJWK(key), audience=CLIENT, issuer=ISSUER)
        assert jwt.get_unverified_header(said)["kid"] == key["kid"]
        assert (claims["email"], claims["email_verified"]) == ("ada@example.com", True)
        assert claims["sub"].isdecimal()
        assert claims["exp"] - claims["iat"] == 3_600


async def test_claims_replace_those_of_a_good_token_and_null_leaves_one_out() -> None:
    async with alone(Google(CLIENT)) as twin:
        said = await token(twin, aud="another", email_verified=False, name=None)
        claims = jwt.decode(said, options={"verify_signature": False})
        assert (claims["aud"], claims["email_verified"]) == ("another", False)
        assert "name" not in claims


async def test_tokens_go_by_the_twins_clock() -> None:
    async with alone(Google(CLIENT)) as twin:
        first, _ = await token(twin), await twin.steer("clock", {"advance_s": 7_200})
        second = await token(twin)
        times = [jwt.decode(x, options={"verify_signature": False})["iat"] for x in (first, second)]
        assert times[1] - times[0] >= 7_200


async def test_a_rotated_key_signs_alone_and_survives(tmp_path: Path) -> None:
    async with alone(Google(CLIENT), tmp_path) as twin:
        before = await the_key(twin)
        kid = (await twin.steer("keys", {"rotate": True}))["kid"]
        assert kid != before["kid"]
        assert jwt.get_unverified_header(await token(twin))["kid"] == kid
    async with alone(Google(CLIENT), tmp_path) as twin:
        assert (await the_key(twin))["kid"] == kid
        assert (await twin.client.get("/oauth2/v1/certs")).status_code == 404
