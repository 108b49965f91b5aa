"""What OpenAPI says of a route: one call beside the route gives its examples and its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

PROBLEM = "application/problem+json"
_problem = {"$ref": "#/components/schemas/Problem"}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "success", "error"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "success": {"const": False},
        "error": {
            "type": "object",
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        },
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
MIN_POSITION = "Wait until the answer shows this position of the ledger."
AS_OF = "The object as it was then: RFC 3339 with a zone, or a position of the ledger."
KEY = "The same key with the same request gives the first answer again."


def told(
    summary: str,
    *,
    answers: Mapping[int, Any],
    body: type[BaseModel] | None = None,
    example: Any = None,
    problems: tuple[int, ...] = (),
    query: Mapping[str, tuple[str, dict[str, Any], Any]] | None = None,
    media: str = "application/json",
    signed_in: bool = True,
    keyed: bool = False,
) -> dict[str, Any]:
    """Keyword arguments of a route: `@router.post(path, **told(...))`.

    `answers`: an example by status, the first of them what the `example` leads to. `query`: by
    name, what it means, its schema and its example. `keyed`: takes an Idempotency-Key.
    """
    refusals = dict.fromkeys((*((401,) if signed_in else ()), *problems))
    extra: dict[str, Any] = {"parameters": [*_query(query or {}), *(_keyed() if keyed else [])]}
    if body is not None:
        schema = _schema(body)
        content = {"application/json": {"schema": schema, "example": example}}
        required = bool(schema.get("required") or schema.get("minProperties"))
        extra["requestBody"] = {"content": content, "required": required}
    if not signed_in:
        extra["security"] = []
    return {
        "summary": summary,
        "status_code": next(iter(answers)),
        "responses": {
            **{status: _refusal() for status in refusals},
            **{status: _answer(status, shown, media) for status, shown in answers.items()},
        },
        "openapi_extra": extra,
        "response_model": None,
    }


def _schema(body: type[BaseModel]) -> dict[str, Any]:
    """A body's schema with its parts in place: `#/$defs/…` means nothing inside the description."""
    schema = body.model_json_schema()
    parts = schema.pop("$defs", {})

    def whole(node: Any) -> Any:
        if isinstance(node, list):
            return [whole(one) for one in node]
        if not isinstance(node, dict):
            return node
        part = parts.get(str(node.get("$ref", "")).rpartition("/")[2], {})
        return {name: whole(inner) for name, inner in {**part, **node}.items() if name != "$ref"}

    return dict(whole(schema))


def _answer(status: int, shown: Any, media: str) -> dict[str, Any]:
    if status >= 400:
        refusal = _refusal()
        refusal["content"][PROBLEM]["example"] = shown
        return refusal
    schema = {"type": "object" if isinstance(shown, dict) else "string"}
    return {"description": "Done.", "content": {media: {"schema": schema, "example": shown}}}


def _refusal() -> dict[str, Any]:
    return {
        "description": "Refused.",
        "content": {PROBLEM: {"schema": _problem}},
    }


def _query(said: Mapping[str, tuple[str, dict[str, Any], Any]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": why, "schema": schema, "example": example}
        for name, (why, schema, example) in said.items()
    ]


def _keyed() -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": 255}
    return [{"name": "Idempotency-Key", "in": "header", "description": KEY, "schema": schema}]
