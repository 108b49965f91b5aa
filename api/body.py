"""Request bodies: bounded, strict JSON, then a pydantic model; every mistake named by its place.

Refused (`contract.md` §1, Limits): more than 1 MiB, deeper than 32, names given twice, NaN and
Infinity, U+0000, lone surrogates, unknown fields, numbers where integers are meant; in JSON of any
shape (`AnyJson`) numbers beyond 64 bits, too.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from api.problems import Invalid, TooLarge

BYTES_MAX = 1024 * 1024
DEPTH_MAX = 32
FIELDS_MAX = 20
NUMBERS_BELOW = 2**63
"""What is larger could be recorded, but not be told again: an answer's integers have 64 bits, and
the database writes a float of this size with all its digits."""
_strings = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_brackets = re.compile(rb"[\[\]{}]")


class Body(BaseModel):
    """A request body. Strict: `"1"` and `1.0` are no integers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NoBody(Body):
    """Nothing, or `{}`."""


B = TypeVar("B", bound=BaseModel)


async def read_bytes(request: Request) -> bytes:
    """The whole body; TooLarge as soon as that is certain."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > BYTES_MAX:
        raise TooLarge()
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BYTES_MAX:
            raise TooLarge()
        parts.append(part)
    return b"".join(parts)


async def read_body(request: Request, model: type[B]) -> B:
    """The body as `model`; its JSON stays at `request.state.json` for the idempotency key."""
    raw = await read_bytes(request)
    value = parse(raw) if raw.strip() else {}
    request.state.json = value
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Invalid(*mistakes_of(error, "body")) from None


def parse(raw: bytes) -> Any:
    """Strict JSON; Invalid names the first reason against it."""
    if raw.count(b"[") + raw.count(b"{") > DEPTH_MAX and _depth(raw) > DEPTH_MAX:
        raise Invalid(("body", f"nested deeper than {DEPTH_MAX}"))
    try:
        value = _decoder.decode(raw.decode())
    except UnicodeDecodeError:
        raise Invalid(("body", "not UTF-8")) from None
    except ValueError as error:
        raise Invalid(("body", f"not JSON: {_reason(error)}")) from None
    if b"\\u" in raw:
        _check_texts(value)
    return value


def canonical(value: Any) -> bytes:
    """The same bytes for the same JSON value, whatever its spacing and order of names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _depth(raw: bytes) -> int:
    depth = deepest = 0
    for bracket in _brackets.findall(_strings.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


_decoder = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float)


def _tellable(value: Any) -> Any:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _tellable(inner)
    elif isinstance(value, int | float) and abs(value) >= NUMBERS_BELOW:
        raise ValueError("a number is too large")
    return value


AnyJson = Annotated[Any, AfterValidator(_tellable)]
"""JSON of any shape that is recorded and told again."""


def _check_texts(value: Any) -> None:
    """Escapes can write what raw UTF-8 cannot: U+0000 and half of a surrogate pair."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)
    elif isinstance(value, str):
        if "\x00" in value:
            raise Invalid(("body", "U+0000 in a text"))
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Invalid(("body", "a lone surrogate in a text"))


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    text = str(error)
    return "a number has too many digits" if "digits" in text else text


def mistakes_of(error: ValidationError, place: str) -> list[tuple[str, str]]:
    """(where, what is wrong there) for each mistake in what stands at `place`."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [
        (".".join([place, *(str(part)[:80] for part in one["loc"])]), one["msg"])
        for one in found[:FIELDS_MAX]
    ]
