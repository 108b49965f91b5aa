"""Quick Auth's shapes: the twin's keys, its tokens, and how it judges them."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import jwt
import pytest

from embedded.twins.farcaster import ISSUER, Farcaster
from tests.twins.alone import Alone, alone
from tests.twins.conftest import TwinProcess
from tests.twins.control import HTTP

DOMAIN = "mega.example"


async def the_key(twin: Alone) -> dict[str, Any]:
    answer = await twin.client.get("/.well-known/jwks.json")
    assert "max-age=" in answer.headers["cache-control"]
    (key,) = answer.json()["keys"]
    return dict(key)


async def token(twin: Alone, **claims: Any) -> str:
    return str((await twin.steer("token", {"claims": claims}))["token"])


async def verified(twin: Alone, said: str, domain: str = DOMAIN) -> tuple[int, Any]:
    query = {"token": said, "domain": domain}
    answer = await twin.client.get("/verify-jwt", params=query)
    return answer.status_code, answer.json()


async def test_a_token_is_what_quick_auth_documents_and_its_key_proves_it() -> None:
    async with alone(Farcaster(DOMAIN)) as twin:
        said, key = await token(twin), await the_key(twin)
        header = jwt.get_unverified_header(said)
        assert (header["alg"], header["kid"]) == ("RS256", key["kid"])
        assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}, "nothing private"
        options: Any = {"verify_sub": False}
        claims = jwt.decode(said, jwt.PyJWK(key), audience=DOMAIN, issuer=ISSUER, options=options)
        assert set(claims) == {"iss", "aud", "sub", "iat", "exp"}
        assert isinstance(claims["sub"], int)
        assert claims["exp"] - claims["iat"] == 3_600
        assert await verified(twin, said) == (200, claims)


async def test_claims_replace_those_of_a_good_token_and_null_leaves_one_out() -> None:
    async with alone(Farcaster(DOMAIN)) as twin:
        said = await token(twin, sub="7", aud="evil.example", iat=None)
        claims = jwt.decode(said, options={"verify_signature": False})
        assert (claims["sub"], claims["aud"], "iat" in claims) == ("7", "evil.example", False)
        assert await verified(twin, said, "evil.example") == (200, claims)


async def test_a_token_for_elsewhere_an_expired_one_and_none_are_refused_by_their_codes() -> None:
    async with alone(Farcaster(DOMAIN)) as twin:
        good = await token(twin)
        for said in (
            await token(twin, aud="evil.example"),
            await token(twin, exp=1),
            "x",
            good[1:],
        ):
            status, body = await verified(twin, said)
            assert (status, body["error"], "error_message" in body) == (400, "invalid_token", True)
        assert (await verified(twin, ""))[1]["error"] == "invalid_params"
        assert (await twin.client.get("/verify-jwt")).status_code == 400


async def test_a_token_expires_by_the_twins_clock() -> None:
    async with alone(Farcaster(DOMAIN)) as twin:
        old = await token(twin)
        await twin.steer("clock", {"advance_s": 3_700})
        assert (await verified(twin, old))[0] == 400
        assert (await verified(twin, await token(twin)))[0] == 200


async def test_after_a_rotation_only_the_new_key_is_shown_and_signs() -> None:
    async with alone(Farcaster(DOMAIN)) as twin:
        old, before = await token(twin), await the_key(twin)
        told = await twin.steer("keys", {"rotate": True})
        after = await the_key(twin)
        assert (after["kid"], after["kid"] == before["kid"]) == (told["kid"], False)
        assert (await verified(twin, old))[0] == 400
        assert (await verified(twin, await token(twin)))[0] == 200


async def test_the_key_survives_a_restart_and_without_a_folder_it_does_not(tmp_path: Path) -> None:
    seen = []
    for folder in (tmp_path, tmp_path, None):
        async with alone(Farcaster(DOMAIN), folder) as twin:
            seen.append((await the_key(twin))["kid"])
    assert seen[0] == seen[1] != seen[2]
    assert (tmp_path / "farcaster.pem").stat().st_mode & 0o777 == 0o600


def test_a_key_that_was_shown_outlives_kill_9(own_process: TwinProcess) -> None:
    twin = own_process.control("farcaster")
    shown = HTTP.get(f"{twin.url}/.well-known/jwks.json").json()
    own_process.end(signal.SIGKILL)
    own_process.start()
    assert HTTP.get(f"{twin.url}/.well-known/jwks.json").json() == shown


async def test_a_rotated_key_survives_too(tmp_path: Path) -> None:
    async with alone(Farcaster(DOMAIN), tmp_path) as twin:
        await the_key(twin)
        kid = (await twin.steer("keys", {"rotate": True}))["kid"]
    async with alone(Farcaster(DOMAIN), tmp_path) as twin:
        assert (await the_key(twin))["kid"] == kid


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("token", {"sub": 5}),
        ("token", {"claims": [1]}),
        ("keys", {"rotate": False}),
        ("keys", {}),
    ],
)
async def test_a_malformed_control_call_is_refused_in_a_sentence(call: str, body: Any) -> None:
    async with alone(Farcaster(DOMAIN)) as twin:
        answer = await twin.client.post(f"/_twin/{call}", json=body)
        assert answer.status_code == 422
        assert answer.json()["detail"].endswith(".")
        assert (await twin.client.post("/_twin/nothing")).status_code == 404


async def test_a_nonce_is_fresh_and_other_paths_are_not_there() -> None:
    async with alone(Farcaster(DOMAIN)) as twin:
        first, second = [(await twin.client.post("/nonce")).json()["nonce"] for _ in range(2)]
        assert first.isalnum() and first != second
        assert (await twin.client.post("/verify-siwf", json={})).status_code == 404


async def test_the_keys_can_be_scripted_like_any_answer() -> None:
    async with alone(Farcaster(DOMAIN)) as twin:
        match = {"path": "/.well-known/jwks.json"}
        await twin.steer("script", {"match": match, "response": {"status": 503}})
        assert (await twin.client.get("/.well-known/jwks.json")).status_code == 503
        await the_key(twin)
