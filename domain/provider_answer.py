"""What a provider's answers mean: where things stand in them, and the class of what went wrong.

Places are JSON pointers (RFC 6901), several in the order of preference; `*` stands for every
element of a list. The classes are the six of `providers.md` §0.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ErrorClass = Literal["transient", "throttled", "quota", "refused", "invalid", "unknown"]

MAX_MESSAGE = 500
_NO_CODES = ("", "None")


class Strict(BaseModel):
    """A part of a row: nothing unknown, no conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _pointer(value: str) -> str:
    if not value.startswith("/") or len(value) > 200:
        raise ValueError("must be a JSON pointer as /data/0/url")
    return value


Pointer = Annotated[str, AfterValidator(_pointer)]
Pointers = Annotated[list[Pointer], Field(max_length=10)]
Words = Annotated[list[str], Field(max_length=20)]


def at(document: Any, pointer: str) -> list[Any]:
    """Every value there, nulls left out; none where the document has no such place."""
    places = [document]
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        places = [inner for place in places for inner in _below(place, name)]
    return [place for place in places if place is not None]


def texts_at(document: Any, pointers: list[str]) -> list[str]:
    """The texts at the first pointer that has any, numbers among them; never empty ones."""
    for pointer in pointers:
        found = [str(value) for value in at(document, pointer) if _is_plain(value)]
        if texts := [text for text in found if text]:
            return texts
    return []


class Status(Strict):
    """Where the state of a task stands, and the provider's words for it."""

    at: Pointers = Field(min_length=1)
    working: Words
    done: Words = Field(min_length=1)
    failed: Words

    def of(self, document: Any) -> Literal["working", "done", "failed"] | None:
        """None for a word that is in no list."""
        word = next(iter(texts_at(document, self.at)), "")
        if word in self.done:
            return "done"
        if word in self.failed:
            return "failed"
        return "working" if word in self.working else None


class Rule(Strict):
    """All that is given has to fit. A `code` fits the same code and the same before its first dot;
    a `pattern` (`*` is any text) fits "CODE: MESSAGE", whatever the case of the letters."""

    status: int | None = Field(default=None, ge=100, le=599)
    code: str | None = Field(default=None, min_length=1, max_length=100)
    pattern: str | None = Field(default=None, min_length=1, max_length=200)
    error_class: ErrorClass = Field(alias="class")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.status is None and self.code is None and self.pattern is None:
            raise ValueError("a rule has a status, a code or a pattern")
        return self

    def fits(self, status: int, code: str, message: str) -> bool:
        if self.status is not None and self.status != status:
            return False
        if self.code is not None and self.code not in (code, code.partition(".")[0]):
            return False
        said = f"{code[:MAX_MESSAGE]}: {message[:MAX_MESSAGE]}".casefold()
        return self.pattern is None or fnmatchcase(said, self.pattern.casefold())


class Errors(Strict):
    """Where an error stands, and what each means: the first rule that fits, else its status.

    Codes in `ok` mean that nothing went wrong. A pointer with `*` tells of one output among others:
    it counts only when none came.
    """

    code: Pointers = []
    message: Pointers = []
    ok: Words = []
    rules: Annotated[list[Rule], Field(max_length=100)] = []

    def code_of_all(self, document: Any) -> str:
        """The code of an answer that failed as a whole; empty when it did not."""
        return self._code(document, [pointer for pointer in self.code if "/*" not in pointer])

    def code_of_one(self, document: Any) -> str:
        return self._code(document, [pointer for pointer in self.code if "/*" in pointer])

    def message_in(self, document: Any) -> str:
        return next(iter(texts_at(document, self.message)), "")

    def classify(self, status: int, code: str, message: str) -> ErrorClass:
        fitting = (rule for rule in self.rules if rule.fits(status, code, message))
        if rule := next(fitting, None):
            return rule.error_class
        if status in (402, 429):
            return "quota" if status == 402 else "throttled"
        return "transient" if status < 400 or status in (408, 409) or status >= 500 else "invalid"

    def _code(self, document: Any, pointers: list[str]) -> str:
        found = next(iter(texts_at(document, pointers)), "")
        return "" if found in self.ok else found


def _below(place: Any, name: str) -> list[Any]:
    if isinstance(place, list):
        if name == "*":
            return place
        return place[int(name) : int(name) + 1] if name.isdecimal() else []
    return [place[name]] if isinstance(place, dict) and name in place else []


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
