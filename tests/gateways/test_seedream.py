"""Seedream through its gateway, against the twin on a socket: `providers.md` §2a and its table."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from consumers.gateways.pictures import digest
from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.seedream import Seedream, classify
from tests.twins.control import Control

PROMPT = "Portrait of a samurai, ink and gold"
KEY = "ark-secret-key"
REFERENCE = "attempt-7"
Make = Callable[..., Seedream]


@pytest.fixture
def twin(twins: dict[str, str]) -> Control:
    control = Control(twins["SEEDREAM_URL"])
    control.reset()
    return control


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as opened:
        yield opened


@pytest.fixture
def seedream(twin: Control, client: httpx.AsyncClient) -> Make:
    def make(**changes: Any) -> Seedream:
        values = {"url": twin.url, "key": KEY, "model": "seedream-4-0-250828"}
        return Seedream(**(values | {"client": client} | changes))

    return make


async def failure(provider: Seedream) -> Failure:
    with pytest.raises(Failure) as raised:
        await provider.generate(PROMPT, reference=REFERENCE)
    assert KEY not in repr(raised.value)
    assert KEY not in raised.value.reason
    return raised.value


@pytest.mark.parametrize("form", ["b64_json", "url"])
async def test_a_prompt_becomes_a_whole_picture_billed_once(
    twin: Control, seedream: Make, form: str
) -> None:
    before = len(twin.billed())
    picture = await seedream(response_format=form).generate(PROMPT, reference=REFERENCE)
    assert (picture.content_type, picture.width, picture.height) == ("image/png", 1024, 1024)
    (*_, item) = twin.billed()
    assert len(twin.billed()) == before + 1
    assert item["request"]["body"] == {
        "model": "seedream-4-0-250828",
        "prompt": PROMPT,
        "size": "1K",
        "response_format": form,
        "watermark": False,
    }


async def test_the_same_prompt_is_the_same_picture_for_the_twin(seedream: Make) -> None:
    one, other = [await seedream().generate(PROMPT, reference=str(n)) for n in (1, 2)]
    assert digest(one.content) == digest(other.content)


def ark_error(code: str, message: str = "no") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "param": "", "type": "x"}}


CODES = [
    (400, "MissingParameter", WillNotWork, "invalid"),
    (400, "InvalidParameter", WillNotWork, "invalid"),
    (400, "SensitiveContentDetected", WillNotWork, "refused"),
    (400, "SensitiveContentDetected.SevereViolation", WillNotWork, "refused"),
    (400, "InputTextSensitiveContentDetected", WillNotWork, "refused"),
    (400, "InputImageSensitiveContentDetected.PrivacyInformation", WillNotWork, "refused"),
    (400, "OutputImageSensitiveContentDetected", WillNotWork, "refused"),
    (400, "InputTextRiskDetection", WillNotWork, "refused"),
    (401, "AuthenticationError", WillNotWork, "invalid"),
    (403, "AccessDenied", WillNotWork, "invalid"),
    (403, "AccountOverdueError", WillNotWork, "quota"),
    (404, "InvalidEndpointOrModel.NotFound", WillNotWork, "invalid"),
    (404, "ModelNotOpen", WillNotWork, "invalid"),
    (429, "RateLimitExceeded.EndpointRPMExceeded", TryAgain, "throttled"),
    (429, "RateLimitExceeded.EndpointTPMExceeded", TryAgain, "throttled"),
    (429, "QuotaExceeded", WillNotWork, "quota"),
    (429, "ServerOverloaded", TryAgain, "transient"),
    (429, "SomethingNew", TryAgain, "throttled"),
    (500, "InternalServiceError", TryAgain, "transient"),
    (503, "SomethingNew", TryAgain, "transient"),
    (418, "SomethingNew", WillNotWork, "invalid"),
]


@pytest.mark.parametrize(("status", "code", "failed", "kind"), CODES)
async def test_each_error_has_its_class(
    twin: Control, seedream: Make, status: int, code: str, failed: type, kind: str
) -> None:
    twin.answers(status, ark_error(code, f"not with {KEY}"))
    found = await failure(seedream())
    assert (type(found), found.error_class) == (failed, kind)
    assert code in found.reason


@pytest.mark.parametrize(("status", "code", "failed", "kind"), CODES)
async def test_an_error_inside_a_200_has_the_class_of_its_code(
    twin: Control, seedream: Make, status: int, code: str, failed: type, kind: str
) -> None:
    if code == "SomethingNew":  # without a known code, only the status could tell
        failed, kind = TryAgain, "transient"
    twin.answers(200, {"data": [ark_error(code)], "usage": {"generated_images": 0}})
    twin.answers(200, ark_error(code))
    for _ in ("in an element of data", "at the top"):
        found = await failure(seedream())
        assert (type(found), found.error_class) == (failed, kind)


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": None},
        {"data": [None, 3]},
        {"data": [{}]},
        {"data": [{"b64_json": "iVBORw0KGgo"}]},
        {"data": [{"b64_json": "bm8gcGljdHVyZQ=="}]},
        {"data": [{"b64_json": "%%%"}]},
        {},
        [],
        "<html>busy</html>",
        '{"data": [{"b64_',
        "[" * 100_000,
        None,
    ],
)
async def test_a_200_without_a_whole_picture_is_tried_again(
    twin: Control, seedream: Make, body: Any
) -> None:
    twin.answers(200, body)
    found = await failure(seedream())
    assert (type(found), found.error_class) == (TryAgain, "transient")


async def test_one_good_picture_beside_an_error_is_enough(twin: Control, seedream: Make) -> None:
    good = await seedream(response_format="url").generate(PROMPT, reference=REFERENCE)
    number = twin.billed()[-1]["id"]
    url = f"{twin.url}/tos/{number}.png?X-Tos-Date=20991231T000000Z&X-Tos-Expires=86400"
    twin.answers(200, {"data": [ark_error("OutputImageSensitiveContentDetected"), {"url": url}]})
    assert await seedream().generate(PROMPT, reference=REFERENCE) == good


async def test_a_body_cut_on_the_wire_is_tried_again(twin: Control, seedream: Make) -> None:
    for length in (0, 200, 50_000):
        twin.script(truncate_body_at=length, times=1)
        found = await failure(seedream())
        assert (type(found), found.error_class) == (TryAgain, "transient")


@pytest.mark.parametrize("drop", ["before", "after_effect"])
async def test_a_connection_lost_after_sending_leaves_the_outcome_unknown(
    twin: Control, seedream: Make, drop: str
) -> None:
    before = len(twin.billed())
    twin.script(drop=drop)
    found = await failure(seedream())
    assert isinstance(found, OutcomeUnknown)
    assert found.reference == REFERENCE
    assert len(twin.billed()) == before + (drop == "after_effect")


async def test_silence_leaves_the_outcome_unknown_although_it_was_billed(
    twin: Control, seedream: Make
) -> None:
    before = len(twin.billed())
    twin.script(delay_ms=20_000)
    found = await failure(seedream(read_timeout_s=0.3))
    assert isinstance(found, OutcomeUnknown)
    assert len(twin.billed()) == before + 1


@pytest.mark.parametrize(
    ("status", "body"), [(500, None), (502, None), (503, None), (504, "<html>504</html>")]
)
async def test_a_server_error_that_says_nothing_leaves_the_outcome_unknown(
    twin: Control, seedream: Make, status: int, body: str | None
) -> None:
    twin.answers(status, body)
    assert isinstance(await failure(seedream()), OutcomeUnknown)


async def test_nobody_listening_is_tried_again(seedream: Make) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}/api/v3"
        found = await failure(seedream(url=url))
    assert (type(found), found.error_class) == (TryAgain, "transient")


@pytest.mark.parametrize(
    ("headers", "after_s"),
    [
        ({"Retry-After": "20"}, 20),
        ({"Retry-After": "20", "retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "86400"}, 120),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "soon"}, 5),
        ({"Retry-After": "nan"}, 5),
        ({}, 5),
        (
            {
                "Date": "Sat, 21 Nov 2026 10:00:00 GMT",
                "Retry-After": "Sat, 21 Nov 2026 10:00:42 GMT",
            },
            42,
        ),
    ],
)
async def test_a_throttled_call_waits_as_long_as_it_was_told(
    twin: Control, seedream: Make, headers: dict[str, str], after_s: float
) -> None:
    body = ark_error("RateLimitExceeded.EndpointIPMExceeded")
    twin.script(response={"status": 429, "headers": headers, "body": body})
    found = await failure(seedream())
    assert isinstance(found, TryAgain)
    assert (found.error_class, found.after_s) == ("throttled", after_s)


async def test_a_picture_on_a_foreign_host_is_not_fetched(twin: Control, seedream: Make) -> None:
    for url in (
        "http://169.254.169.254/latest",
        "http://localhost:1/a.png",
        "file:///etc/passwd",
        "http://127.0.0.1.evil.example/a.png",
        "http://127.0.0.1:99999/a.png",
        "http://[/a.png",
    ):
        twin.answers(200, {"data": [{"url": url}]})
        found = await failure(seedream())
        assert (type(found), found.error_class) == (WillNotWork, "invalid")


async def test_an_expired_address_of_the_picture_is_tried_again(
    twin: Control, seedream: Make
) -> None:
    old = f"{twin.url}/tos/seedream-000001.png?X-Tos-Date=20200101T000000Z&X-Tos-Expires=86400"
    twin.answers(200, {"data": [{"url": old}]})
    found = await failure(seedream())
    assert (type(found), found.error_class) == (TryAgain, "transient")


async def test_a_key_no_header_can_carry_is_refused_without_naming_it(seedream: Make) -> None:
    with pytest.raises(ValueError, match="seedream key") as raised:
        seedream(key="secret\nkey")
    assert "secret" not in str(raised.value)


def test_codes_are_compared_before_their_dot_only() -> None:
    assert classify(400, "InvalidParameter.Anything") == "invalid"
    assert classify(400, "XSensitiveContentDetected.Violence") == "refused"
    assert classify(200, "") == "transient"
