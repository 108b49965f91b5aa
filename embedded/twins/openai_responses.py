"""The texts of the OpenAI twin: `POST /v1/responses`; spec `providers.md` §4.

Read in a source (types of the vendor's Python SDK): the request's `input` and `text.format`, the
answer with `status`, `output`, `output_text` and `usage`. Refusals and incomplete answers exist
by script only.

Ours: what is written. It follows from the request alone, so that the same bytes get the same text,
and it has the form that `text.format` asks for: required members of a JSON schema are filled by
their names and types. Prompts repeat the brief, captions tell something that fits every picture.
Any model exists. Effect kind: `text_billed` {model, response}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from embedded.twins.wire import Call

MAX_BRIEF = 600
MAX_DEPTH = 8

LIGHTS = (
    "soft window light from the left",
    "warm light of a late afternoon",
    "a single hard key light and deep shadows",
    "cool overcast daylight",
    "low golden light behind the subject",
)
FRAMES = (
    "shot on a 50 mm lens at eye level",
    "close-up with a shallow depth of field",
    "centred composition with much negative space",
    "three-quarter view, slightly from above",
    "wide frame, the subject in the lower third",
)
SURFACES = ("brushed stone", "raw linen", "pale oak", "still water", "matte paper")
MOODS = ("calm", "editorial", "tactile", "quiet luxury", "cinematic")
MOVES = (
    "the camera moves in slowly while the light wanders over the surface",
    "a slow orbit around the subject, dust drifting through the light",
    "the background breathes softly out of focus, the subject stays still",
)
_SAID = re.compile(r"(?im)^\s*(?:brief|feedback|request|user text)\s*[:=]\s*(.+)$")
_BRIEF_MEMBERS = ("brief", "wish", "feedback", "text", "user_text", "prompt", "suggestion")


class Request(BaseModel):
    """The fields that this twin reads; others are ignored."""

    model_config = ConfigDict(strict=True)

    model: str = Field(min_length=1)
    input: str | list[dict[str, Any]]
    instructions: str | None = None
    text: dict[str, Any] = {}


class Malformed(Exception):
    """The body is no request; the name of the first wrong field."""


def respond(call: Call) -> dict[str, Any]:
    """The vendor's answer to a good request."""
    try:
        request = Request.model_validate_json(call.body)
    except ValidationError as error:
        where = error.errors(include_url=False, include_input=False)[0]["loc"]
        raise Malformed(".".join(str(part) for part in where)) from None
    digest = sha256(call.body).hexdigest()
    id_ = f"resp_{digest[:40]}"
    call.record("text_billed", model=request.model, response=id_)
    text = written(request, int(digest[:8], 16))
    asked, made = len(call.body) // 4 + 1, len(text) // 4 + 1
    usage = {"input_tokens": asked, "output_tokens": made, "total_tokens": asked + made}
    content = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": f"msg_{digest[:40]}", "role": "assistant"}
    return {
        "id": id_,
        "object": "response",
        "created_at": int(call.journal.now().timestamp()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": request.model,
        "output": [{**message, "status": "completed", "content": [content]}],
        "usage": usage,
    }


def written(request: Request, dice: int) -> str:
    """Plain text, or the JSON that the request's format asks for."""
    writer = Writer(brief_of(request), dice)
    form = request.text.get("format")
    kind = form.get("type") if isinstance(form, dict) else "text"
    if kind == "json_object":
        return json.dumps({"prompt": writer.prompt()}, ensure_ascii=False)
    if kind == "json_schema" and isinstance(form, dict):
        return json.dumps(writer.fill(form.get("schema", {}), ""), ensure_ascii=False)
    return writer.prompt()


def brief_of(request: Request) -> str:
    """What a person asked for: a member or a line called so in the last text that has one, else the
    last text, unless it is JSON."""
    said = [*_texts(request.input)]
    for text in reversed(said):
        if brief := _brief_in(text):
            return brief[:MAX_BRIEF]
    words = said[-1] if said and not said[-1].lstrip().startswith("{") else ""
    return " ".join(words.split())[:MAX_BRIEF]


def _brief_in(text: str) -> str:
    try:
        told = orjson.loads(text)
    except ValueError:
        found = _SAID.findall(text)
        return " ".join(found[-1].split()) if found else ""
    if not isinstance(told, dict):
        return ""
    named = (told.get(name) for name in _BRIEF_MEMBERS)
    return next((" ".join(one.split()) for one in named if isinstance(one, str) and one), "")


def _texts(given: str | list[dict[str, Any]]) -> Iterator[str]:
    if isinstance(given, str):
        yield given
        return
    for message in given:
        content = message.get("content")
        if message.get("role") in (None, "user") and isinstance(content, str):
            yield content
        elif message.get("role") in (None, "user") and isinstance(content, list):
            for part in content:
                if isinstance(part, dict) and isinstance(part.get("text"), str):
                    yield part["text"]


class Writer:
    """Writes the same for the same brief and dice."""

    def __init__(self, brief: str, dice: int) -> None:
        self._brief = brief
        self._dice = dice

    def prompt(self) -> str:
        about = self._brief or "A quiet still life"
        light, frame = self._one(LIGHTS), self._one(FRAMES)
        return f"{about.rstrip('.')}. {light.capitalize()}, {frame}, on {self._one(SURFACES)}."

    def fill(self, schema: Any, name: str, depth: int = 0) -> Any:
        """A value of the schema, as its member's name lets one expect."""
        schema = schema if isinstance(schema, dict) and depth < MAX_DEPTH else {}
        if schema.get("enum"):
            return schema["enum"][0]
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type", "string")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                return self._members(schema, depth)
            case "array":
                return self._elements(schema, name, depth)
            case "boolean":
                return False
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "null":
                return None
        return self._sentence(name)[: schema.get("maxLength", 2_000)]

    def _members(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        members = schema.get("properties", {})
        wanted = schema.get("required", list(members))
        return {name: self.fill(members.get(name, {}), name, depth + 1) for name in wanted}

    def _elements(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        items, count = schema.get("items", {}), max(schema.get("minItems", 0), 3)
        count = min(count, schema.get("maxItems", count))
        if items.get("type", "string") != "string" or items.get("enum"):
            return [self.fill(items, name, depth + 1) for _ in range(count)]
        start = self._dice % len(MOODS)
        words = (*MOODS, *SURFACES)
        return [words[(start + number) % len(words)] for number in range(count)]

    def _sentence(self, name: str) -> str:
        about = self._brief[:120].rstrip(".") or "the subject"
        sentences = {
            "motion": f"{about}: {self._one(MOVES)}." if self._brief else f"{self._one(MOVES)}.",
            "prompt": self.prompt(),
            "message": f"I see {self._one(SURFACES)}, and a mood that is {self._one(MOODS)}.",
            "color": "warm sand and ink",
            "colour": "warm sand and ink",
            "style": self._one(MOODS),
            "light": self._one(LIGHTS),
            "composition": self._one(FRAMES),
        }
        found = (text for word, text in sentences.items() if word in name.lower())
        seen = f"A {self._one(MOODS)} picture with {self._one(LIGHTS)}, {self._one(FRAMES)}."
        return next(found, seen)

    def _one(self, choices: tuple[str, ...]) -> str:
        return choices[self._dice // len(choices) % len(choices)]
