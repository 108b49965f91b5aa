"""OpenAI's texts: what the twin writes follows from the request, in the form that it asks for."""

from __future__ import annotations

import json
from typing import Any

import httpx
import jsonschema
import pytest

from tests.twins.control import HTTP, Control

AUTHORIZED = {"Authorization": "Bearer any-key"}
BRIEF = "A ceramic cup on a windowsill, morning"
PROMPT = {
    "type": "object",
    "properties": {
        "clean_prompt": {"type": "string", "maxLength": 1_000},
        "user_message": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 4},
        "mode": {"type": "string", "enum": ["calm", "loud"]},
        "score": {"type": "integer", "minimum": 2, "maximum": 9},
        "safe": {"type": ["boolean", "null"]},
        "palette": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        },
    },
    "required": ["clean_prompt", "user_message", "tags", "mode", "score", "safe", "palette"],
    "additionalProperties": False,
}


def asked(*texts: str, schema: Any = None) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text} for text in texts]
    image = {"type": "input_image", "image_url": "https://x/y.png", "detail": "auto"}
    body: dict[str, Any] = {
        "model": "gpt-5-mini",
        "input": [
            {"role": "system", "content": "You write prompts."},
            {"role": "user", "content": [*content, image]},
        ],
    }
    if schema:
        form = {"type": "json_schema", "name": "prompt", "schema": schema, "strict": True}
        body["text"] = {"format": form}
    return body


def answer(openai: Control, body: Any) -> httpx.Response:
    return HTTP.post(f"{openai.url}/v1/responses", json=body, headers=AUTHORIZED)


def text_of(answered: httpx.Response) -> str:
    (message,) = answered.json()["output"]
    (part,) = message["content"]
    assert part["type"] == "output_text"
    return str(part["text"])


@pytest.mark.parametrize(
    "texts",
    [
        (BRIEF,),
        (f"Write a prompt for this.\nBrief: {BRIEF}\nStyle: calm",),
        (json.dumps({"brief": BRIEF, "history": ["older"]}),),
        (json.dumps({"brief": BRIEF}), "Answer as JSON."),
    ],
)
def test_a_schema_is_filled_and_the_prompt_has_the_brief_in_it(
    openai: Control, texts: tuple[str, ...]
) -> None:
    answered = answer(openai, asked(*texts, schema=PROMPT))
    assert answered.json()["status"] == "completed"
    told = json.loads(text_of(answered))
    jsonschema.validate(told, PROMPT)
    assert BRIEF in told["clean_prompt"]


def test_the_same_bytes_get_the_same_text_and_each_is_billed(openai: Control) -> None:
    def billed() -> int:
        return sum(item["kind"] == "text_billed" for item in openai.get("ledger"))

    before = billed()
    first, again = (text_of(answer(openai, asked(BRIEF))) for _ in range(2))
    assert first == again
    assert BRIEF in first
    assert text_of(answer(openai, asked("Another brief"))) != first
    assert billed() == before + 3


@pytest.mark.parametrize("body", [{}, {"model": "gpt"}, {"model": "", "input": "x"}, []])
def test_malformed_requests_are_400_and_a_key_is_needed(openai: Control, body: Any) -> None:
    refused = answer(openai, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_value")
    keyless = HTTP.post(f"{openai.url}/v1/responses", json=asked(BRIEF))
    assert keyless.status_code == 401
