"""OpenAI's images through the gateway, against the twin on a socket: `providers.md` §4."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from consumers.gateways.openai_images import OpenAIImages
from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from tests.twins.control import Control

PROMPT = "Portrait of a wanderer, charcoal"
KEY = "sk-proj-secret-key"
REFERENCE = "attempt-9"
Make = Callable[..., OpenAIImages]


@pytest.fixture
def twin(twins: dict[str, str]) -> Control:
    control = Control(twins["OPENAI_URL"])
    control.reset()
    return control


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as opened:
        yield opened


@pytest.fixture
def images(twin: Control, client: httpx.AsyncClient) -> Make:
    def make(**changes: Any) -> OpenAIImages:
        values = {"url": twin.url, "key": KEY, "model": "gpt-image-1", "client": client}
        return OpenAIImages(**(values | changes))

    return make


async def failure(provider: OpenAIImages) -> Failure:
    with pytest.raises(Failure) as raised:
        await provider.generate(PROMPT, reference=REFERENCE)
    assert KEY not in repr(raised.value)
    return raised.value


def openai_error(code: str | None, kind: str = "x", message: str = "no") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


async def test_a_prompt_becomes_a_whole_picture_billed_once(twin: Control, images: Make) -> None:
    before = len(twin.billed())
    picture = await images(size="1536x1024").generate(PROMPT, reference=REFERENCE)
    assert (picture.content_type, picture.width, picture.height) == ("image/png", 1536, 1024)
    assert len(twin.billed()) == before + 1


@pytest.mark.parametrize(
    ("status", "kind", "code", "failed", "found_class"),
    [
        (429, "requests", "rate_limit_exceeded", TryAgain, "throttled"),
        (429, "requests", "slow_down", TryAgain, "throttled"),
        (429, "requests", None, TryAgain, "throttled"),
        (429, "insufficient_quota", None, WillNotWork, "quota"),
        (429, "x", "insufficient_quota", WillNotWork, "quota"),
        (429, "insufficient_quota", "credit_balance_exhausted", WillNotWork, "quota"),
        (429, "insufficient_quota", "organization_spend_limit_exceeded", WillNotWork, "quota"),
        (429, "insufficient_quota", "project_spend_limit_exceeded", WillNotWork, "quota"),
        (429, "insufficient_quota", "organization_usage_limit_exceeded", WillNotWork, "quota"),
        (400, "image_generation_user_error", "moderation_blocked", WillNotWork, "refused"),
        (400, "invalid_request_error", "content_policy_violation", WillNotWork, "refused"),
        (400, "invalid_request_error", "billing_hard_limit_reached", WillNotWork, "quota"),
        (400, "invalid_request_error", "invalid_value", WillNotWork, "invalid"),
        (401, "invalid_request_error", "invalid_api_key", WillNotWork, "invalid"),
        (403, "invalid_request_error", None, WillNotWork, "invalid"),
        (404, "invalid_request_error", "model_not_found", WillNotWork, "invalid"),
        (408, "x", None, TryAgain, "transient"),
        (409, "x", None, TryAgain, "transient"),
        (500, "server_error", None, TryAgain, "transient"),
        (503, "service_unavailable_error", "server_is_overloaded", TryAgain, "transient"),
        (200, "server_error", "server_error", TryAgain, "transient"),
        (200, "image_generation_user_error", "moderation_blocked", WillNotWork, "refused"),
    ],
)
async def test_each_error_has_its_class(
    twin: Control,
    images: Make,
    status: int,
    kind: str,
    code: str | None,
    failed: type,
    found_class: str,
) -> None:
    twin.answers(status, openai_error(code, kind, f"about {KEY}"))
    found = await failure(images())
    assert (type(found), found.error_class) == (failed, found_class)


@pytest.mark.parametrize(
    ("message", "headers", "after_s"),
    [
        ("Rate limit reached. Please try again in 41.724s.", {}, 41.724),
        ("Please try again in 250ms.", {}, 0.25),
        ("Please try again in 999999s.", {}, 120),
        ("Please try again in 3s.", {"Retry-After": "20"}, 20),
        ("Later.", {"retry-after-ms": "750", "Retry-After": "1"}, 0.75),
        ("Later.", {}, 5),
    ],
)
async def test_a_throttled_call_waits_as_long_as_it_was_told(
    twin: Control, images: Make, message: str, headers: dict[str, str], after_s: float
) -> None:
    body = openai_error("rate_limit_exceeded", "requests", message)
    twin.script(response={"status": 429, "headers": headers, "body": body})
    found = await failure(images())
    assert isinstance(found, TryAgain)
    assert found.after_s == after_s


async def test_a_refused_key_is_not_quoted_from_the_vendors_sentence(
    twin: Control, images: Make
) -> None:
    sentence = "Incorrect API key provided: sk-proj*****-key."
    twin.answers(401, openai_error("invalid_api_key", "invalid_request_error", sentence))
    assert "sk-proj" not in (await failure(images())).reason


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": [{"url": "https://example.com/x.png"}]},
        {"data": [{"b64_json": "iVBORw0KGgo"}]},
        {"created": 1},
        '{"data": [{"b64',
        None,
    ],
)
async def test_a_200_without_a_whole_picture_is_tried_again(
    twin: Control, images: Make, body: Any
) -> None:
    twin.answers(200, body)
    found = await failure(images())
    assert (type(found), found.error_class) == (TryAgain, "transient")


async def test_a_cut_body_is_tried_again_and_a_lost_answer_is_unknown(
    twin: Control, images: Make
) -> None:
    twin.script(truncate_body_at=1_000)
    assert isinstance(await failure(images()), TryAgain)
    for rule in ({"drop": "after_effect"}, {"delay_ms": 20_000}, {"response": {"status": 500}}):
        twin.script(**rule)
        found = await failure(images(read_timeout_s=2.0))
        assert isinstance(found, OutcomeUnknown)
        assert found.reference == REFERENCE
