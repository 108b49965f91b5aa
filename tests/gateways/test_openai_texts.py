"""GPT's texts through the gateway, against the twin on a socket: `providers.md` §4."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from consumers.gateways.mma_ports import NotWhole
from consumers.gateways.openai_texts import OpenAITexts
from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from tests.twins.control import Control

KEY = "sk-proj-secret-key"
REFERENCE = "step-3"
FORM = {
    "type": "json_schema",
    "name": "p",
    "schema": {"type": "object", "properties": {"prompt": {"type": "string"}}},
}
# Spaces and order as no serialiser of ours would write them.
BODY = (
    b'{ "text": {"format": %s},  "model":"gpt-5-mini", "input": "A cup" }'
    % json.dumps(FORM).encode()
)
PLAIN = b'{"model": "gpt-5-mini", "input": "A cup"}'


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
def texts(twin: Control, client: httpx.AsyncClient) -> OpenAITexts:
    return OpenAITexts(url=twin.url, key=KEY, client=client, read_timeout_s=1.0)


async def failure(texts: OpenAITexts, body: bytes = BODY) -> Failure:
    with pytest.raises(Failure) as raised:
        await texts.ask(body, reference=REFERENCE)
    assert KEY not in repr(raised.value)
    return raised.value


def said(*parts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    message = {"type": "message", "role": "assistant", "content": list(parts)}
    thought = {"type": "reasoning", "summary": []}
    return {"status": "completed", "error": None, "output": [thought, message], **changes}


def text(words: str) -> dict[str, Any]:
    return {"type": "output_text", "text": words, "annotations": []}


async def test_the_very_bytes_are_posted_and_the_text_comes_back(
    twin: Control, texts: OpenAITexts
) -> None:
    answer = await texts.ask(BODY, reference=REFERENCE)
    assert "A cup" in json.loads(answer)["prompt"]
    (*_, effect) = [item for item in twin.get("ledger") if item["kind"] == "text_billed"]
    assert effect["request"]["body"] == json.loads(BODY)


async def test_texts_in_several_parts_are_one(twin: Control, texts: OpenAITexts) -> None:
    twin.answers(200, said(text('{"prompt": '), text('"A cup"}')))
    assert await texts.ask(BODY, reference=REFERENCE) == '{"prompt": "A cup"}'


@pytest.mark.parametrize(
    "answer",
    [
        said({"type": "refusal", "refusal": "I cannot help with that"}),
        said(text("{}"), {"type": "refusal", "refusal": "I stop here"}),
        said(text('{"pro'), status="incomplete", incomplete_details={"reason": "content_filter"}),
        said(status="failed", error={"code": "image_content_policy_violation", "message": "no"}),
        said(status="failed", error={"code": "invalid_prompt", "message": "flagged"}),
    ],
)
async def test_a_refusal_is_never_text(
    twin: Control, texts: OpenAITexts, answer: dict[str, Any]
) -> None:
    twin.answers(200, answer)
    found = await failure(texts)
    assert (type(found), found.error_class) == (WillNotWork, "refused")


CUT = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (said(text('{"pro'), **CUT), NotWhole),
        (said(text('{"prompt": "A c')), NotWhole),
        (said(), TryAgain),
        (said(text("")), TryAgain),
        (said(status="in_progress"), TryAgain),
        (said(status="failed", error={"code": "server_error", "message": "x"}), TryAgain),
        ({"output": "text"}, TryAgain),
        ("<html>", TryAgain),
        (None, TryAgain),
    ],
)
async def test_what_is_not_whole_is_tried_again(
    twin: Control, texts: OpenAITexts, answer: Any, failed: type
) -> None:
    twin.answers(200, answer)
    found = await failure(texts)
    assert (type(found), found.error_class) == (failed, "transient")


async def test_what_was_cut_is_told_from_what_is_missing(twin: Control, texts: OpenAITexts) -> None:
    twin.answers(200, said(text('{"prompt": "A c')))
    assert isinstance(await failure(texts), NotWhole)
    twin.answers(200, said())
    assert not isinstance(await failure(texts), NotWhole)


async def test_plain_text_need_not_be_json(twin: Control, texts: OpenAITexts) -> None:
    twin.answers(200, said(text("A cup {")))
    assert await texts.ask(PLAIN, reference=REFERENCE) == "A cup {"


@pytest.mark.parametrize(
    ("status", "code", "failed", "error_class"),
    [
        (429, "rate_limit_exceeded", TryAgain, "throttled"),
        (429, "insufficient_quota", WillNotWork, "quota"),
        (400, "content_policy_violation", WillNotWork, "refused"),
        (400, "invalid_image_url", WillNotWork, "invalid"),
        (401, "invalid_api_key", WillNotWork, "invalid"),
        (500, "server_error", TryAgain, "transient"),
    ],
)
async def test_each_error_has_its_class(
    twin: Control, texts: OpenAITexts, status: int, code: str, failed: type, error_class: str
) -> None:
    error = {"message": f"Try again in 9s. {KEY}", "type": "x", "param": None, "code": code}
    twin.answers(status, {"error": error}, Retry_After="20")
    found = await failure(texts)
    assert (type(found), found.error_class) == (failed, error_class)
    if isinstance(found, TryAgain):
        assert found.after_s == 20


async def test_silence_leaves_the_outcome_unknown(twin: Control, texts: OpenAITexts) -> None:
    for rule in ({"drop": "after_effect"}, {"delay_ms": 20_000}, {"response": {"status": 502}}):
        twin.script(**rule)
        found = await failure(texts)
        assert isinstance(found, OutcomeUnknown)
        assert found.reference == REFERENCE
