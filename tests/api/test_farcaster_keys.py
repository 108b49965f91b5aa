"""When Farcaster's keys are asked for, how long they count, and what no token can do to us."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.farcaster import QUICK_AUTH, QuickAuth, TokenRefused, fid_of
from api.jwks import (
    ANSWER_BYTES_MAX,
    FRESH_MAX_S,
    FRESH_S,
    GRACE_S,
    LEFT_ALONE_S,
    PAUSE_S,
    Keys,
    MalformedToken,
    read_header,
)
from api.problems import FarcasterSilent
from embedded.twins.tokens import SigningKey

FIRST, SECOND = SigningKey.new(None), SigningKey.new(None)
GOOD = json.dumps({"keys": [FIRST.jwk()]}).encode()
OUTAGES: dict[str, tuple[int, bytes]] = {
    "an error": (503, GOOD),
    "a redirect": (302, GOOD),
    "no JSON": (200, b"<html>"),
    "no object": (200, b"[]"),
    "no keys": (200, b"{}"),
    "keys of another kind": (200, b'{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a"}]}'),
    "keys for another algorithm": (200, GOOD.replace(b"RS256", b"RS512")),
    "too much": (200, b" " * ANSWER_BYTES_MAX + GOOD),
}


class KeyHost(httpx.AsyncBaseTransport):
    """Shows `keys` and counts how often it was asked; `answer` is what it says instead."""

    def __init__(self) -> None:
        self.keys = [FIRST.jwk()]
        self.cache_control: str | None = "public, max-age=100"
        self.answer: tuple[int, bytes] | None = None
        self.away = False
        self.calls = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        await asyncio.sleep(0)
        if self.away:
            raise httpx.ConnectError("nobody listens", request=request)
        if self.answer:
            return httpx.Response(self.answer[0], content=self.answer[1])
        headers = {"cache-control": self.cache_control} if self.cache_control else {}
        return httpx.Response(200, headers=headers, json={"keys": self.keys})


class World:
    """`now` is the clock of the keys, in seconds, moved by hand."""

    def __init__(self) -> None:
        self.host, self.now = KeyHost(), 1_000.0
        client = httpx.AsyncClient(transport=self.host)
        self.keys = Keys("https://keys.test/jwks.json", client, QUICK_AUTH, lambda: self.now)

    async def knows(self, key: SigningKey) -> bool:
        try:
            return (await self.keys.named(key.kid)).key_id == key.kid
        except TokenRefused:
            return False


@pytest.fixture
def farcaster() -> World:
    return World()


async def test_keys_are_asked_for_once_while_they_are_fresh(farcaster: World) -> None:
    for _ in range(5):
        assert await farcaster.knows(FIRST)
    farcaster.now += 99
    assert await farcaster.knows(FIRST)
    assert farcaster.host.calls == 1


async def test_a_key_that_was_taken_away_counts_until_the_keys_are_stale(farcaster: World) -> None:
    assert await farcaster.knows(FIRST)
    farcaster.host.keys = [SECOND.jwk()]
    farcaster.now += 99
    assert await farcaster.knows(FIRST)
    farcaster.now += 1
    assert not await farcaster.knows(FIRST)
    assert await farcaster.knows(SECOND)


@pytest.mark.parametrize(
    ("cache_control", "fresh_s"),
    [
        ("max-age=7", 7),
        ("public, max-age=7, immutable", 7),
        ("Max-Age=7", 7),
        ("s-maxage=7", FRESH_S),
        ("no-transform", FRESH_S),
        (None, FRESH_S),
        ("max-age=31536000", FRESH_MAX_S),
        ("max-age=0", 0),
    ],
)
async def test_how_long_keys_are_fresh_is_theirs_to_say(
    farcaster: World, cache_control: str | None, fresh_s: int
) -> None:
    farcaster.host.cache_control = cache_control
    assert await farcaster.knows(FIRST)
    farcaster.now += fresh_s - 1
    assert await farcaster.knows(FIRST)
    assert farcaster.host.calls == 1 or not fresh_s
    farcaster.now += 1 + PAUSE_S
    assert await farcaster.knows(FIRST)
    assert farcaster.host.calls == 2 or not fresh_s


@pytest.mark.parametrize("outage", [None, *OUTAGES.values()], ids=["away", *OUTAGES])
async def test_keys_outlive_their_time_by_the_grace_and_no_longer(
    farcaster: World, outage: tuple[int, bytes] | None
) -> None:
    assert await farcaster.knows(FIRST)
    farcaster.host.away, farcaster.host.answer = outage is None, outage
    farcaster.now += 100 + GRACE_S - 1
    assert await farcaster.knows(FIRST)
    assert farcaster.host.calls == 2
    farcaster.now += 1
    with pytest.raises(FarcasterSilent):
        await farcaster.keys.named(FIRST.kid)
    farcaster.host.away, farcaster.host.answer = False, None
    farcaster.now += PAUSE_S
    assert await farcaster.knows(FIRST), "as soon as the host is back"


async def test_a_host_that_is_away_is_left_alone_while_keys_are_known(farcaster: World) -> None:
    assert await farcaster.knows(FIRST)
    farcaster.host.away = True
    farcaster.now += 200
    for _ in range(5):
        assert await farcaster.knows(FIRST)
    assert farcaster.host.calls == 2
    farcaster.now += LEFT_ALONE_S
    assert await farcaster.knows(FIRST)
    assert farcaster.host.calls == 3


async def test_with_no_key_known_it_is_the_host_that_is_silent(farcaster: World) -> None:
    farcaster.host.away = True
    with pytest.raises(FarcasterSilent):
        await farcaster.keys.named(FIRST.kid)
    with pytest.raises(FarcasterSilent):
        farcaster.now += PAUSE_S
        await farcaster.keys.named(None)


async def test_an_unknown_key_is_asked_for_once_and_then_refused(farcaster: World) -> None:
    assert await farcaster.knows(FIRST)
    farcaster.now += PAUSE_S
    assert not await farcaster.knows(SECOND)
    assert farcaster.host.calls == 2
    farcaster.host.keys.append(SECOND.jwk())
    farcaster.now += PAUSE_S
    assert await farcaster.knows(SECOND)
    assert farcaster.host.calls == 3


async def test_a_crowd_with_unknown_keys_shares_one_question_and_has_to_wait_its_turn() -> None:
    host = KeyHost()
    async with httpx.AsyncClient(transport=host) as client:
        keys = Keys("https://keys.test/jwks.json", client, QUICK_AUTH)
        await keys.named(FIRST.kid)
        began = time.monotonic()
        for _ in range(2):
            crowd = [keys.named(f"made up {number}") for number in range(50)]
            refusals = await asyncio.gather(*crowd, return_exceptions=True)
            assert all(isinstance(one, TokenRefused) for one in refusals)
        assert host.calls == 3
        assert time.monotonic() - began >= 2 * PAUSE_S - 0.05


async def test_a_token_of_another_algorithm_is_refused_without_asking_anybody(
    farcaster: World,
) -> None:
    unsigned = jwt.encode({"sub": 1}, None, algorithm="none", headers={"kid": FIRST.kid})
    with pytest.raises(TokenRefused):
        await QuickAuth(farcaster.keys, "mega.example").fid(unsigned, datetime.now(UTC))
    assert farcaster.host.calls == 0


async def test_a_token_without_a_key_id_is_judged_by_the_only_key_there_is(
    farcaster: World,
) -> None:
    assert (await farcaster.keys.named(None)).key_id == FIRST.kid
    farcaster.host.keys = [FIRST.jwk(), SECOND.jwk()]
    farcaster.now += 100
    with pytest.raises(TokenRefused):
        await farcaster.keys.named(None)


@given(st.text(max_size=300) | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True))
def test_any_text_is_a_token_or_malformed_and_nothing_else(text: str) -> None:
    try:
        assert isinstance(read_header(text), dict)
    except MalformedToken as malformed:
        assert malformed.fields


@given(st.integers(1, 2**63 - 1))
def test_every_fid_is_read_as_number_and_as_text(fid: int) -> None:
    assert fid_of(fid) == fid_of(str(fid)) == fid


@given(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(max_value=0)
    | st.integers(min_value=2**63)
    | st.text().filter(lambda text: not text.isdigit())
    | st.from_regex(r"0[0-9]*", fullmatch=True)
    | st.lists(st.integers())
)
def test_no_other_subject_is_a_fid(subject: object) -> None:
    with pytest.raises(TokenRefused):
        fid_of(subject)
