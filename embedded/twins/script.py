"""What happens to the next matching calls (spec `contract.md` §11, `POST /_twin/script`)."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from embedded.twins.wire import Answer, Call

Model = TypeVar("Model", bound=BaseModel)


class ScriptRefused(Exception):
    """The control call is malformed; the message is one sentence that says where."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Match(_Strict):
    """Which calls: all given fields must fit. `path` is the whole path or the part below the
    vendor's base path, `*` stands for any text. `rpc_method` is JSON-RPC's `method`."""

    method: str | None = None
    path: str | None = Field(default=None, max_length=500)
    rpc_method: str | None = None

    def fits(self, call: Call) -> bool:
        if self.method is not None and self.method.upper() != call.method:
            return False
        if self.path is not None and not any(
            fnmatchcase(path, self.path) for path in (call.full_path, call.path)
        ):
            return False
        return self.rpc_method is None or self.rpc_method in _rpc_methods(call)


class Response(_Strict):
    """A scripted answer. A text body is sent as it is, any other value as JSON, none as nothing."""

    status: int = Field(default=200, ge=200, le=599)
    headers: dict[str, str | int] = {}
    body: Any = None

    def answer(self) -> Answer:
        headers = {name.lower(): str(value) for name, value in self.headers.items()}
        if self.body is None:
            return Answer(self.status, b"", headers)
        if isinstance(self.body, str):
            return Answer(self.status, self.body.encode(), {"content-type": "text/plain"} | headers)
        body = json.dumps(self.body).encode()
        return Answer(self.status, body, {"content-type": "application/json"} | headers)


class Rule(_Strict):
    """One queued script, for `times` calls.

    `effect` says whether the side effect happens; left out, it happens unless a response is
    scripted or the connection is dropped before. `duplicate` is how often more the vendor gets the
    same call (true is once). `delay_ms` passes after the effect and before the answer.
    `truncate_body_at` is the number of bytes sent of a body that Content-Length promises whole.
    """

    match: Match = Match()
    times: Annotated[int, Field(ge=1, le=100_000)] = 1
    effect: Literal["perform", "none"] | None = None
    response: Response | None = None
    delay_ms: Annotated[int, Field(ge=0, le=600_000)] = 0
    drop: Literal["before", "after_effect"] | None = None
    truncate_body_at: Annotated[int, Field(ge=0)] | None = None
    duplicate: bool | Annotated[int, Field(ge=0, le=100)] = 0

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.drop == "before" and self.effect == "perform":
            raise ValueError("a call dropped before its effect cannot perform it")
        if self.drop == "after_effect" and self.effect == "none":
            raise ValueError("a call dropped after its effect has to perform it")
        return self

    @property
    def performs(self) -> bool:
        if self.effect is None and self.drop is None:
            return self.response is None
        return self.effect == "perform" or self.drop == "after_effect"

    @property
    def reaches_vendor(self) -> bool:
        """Whether the twin's own code sees the call, be it for the effect or for its answer."""
        return self.performs or (self.drop is None and self.response is None)


class Script:
    """The queue. A call takes the oldest rule that fits it."""

    def __init__(self) -> None:
        self._queued: list[tuple[Rule, int]] = []

    def add(self, rule: Rule) -> None:
        self._queued.append((rule, rule.times))

    def take(self, call: Call) -> Rule | None:
        for place, (rule, left) in enumerate(self._queued):
            if rule.match.fits(call):
                self._queued[place : place + 1] = [(rule, left - 1)] if left > 1 else []
                return rule
        return None

    def forget(self) -> int:
        forgotten = len(self._queued)
        self._queued.clear()
        return forgotten

    def queued(self) -> list[dict[str, Any]]:
        """The rules still waiting, as they were written, `times` counted down."""
        return [
            {**rule.model_dump(exclude_unset=True), "times": left} for rule, left in self._queued
        ]


class Advance(_Strict):
    """`POST /_twin/clock`: clocks only go forward, a year at most at once."""

    advance_s: Annotated[int, Field(ge=0, le=366 * 86_400)]


def parse(model: type[Model], body: bytes) -> Model:
    """The control call's body; `ScriptRefused` names the first field that is wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ScriptRefused(f"There is no field {where!r} here.") from None
        reason = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise ScriptRefused(f"Malformed {where or 'body'}: {reason}.") from None


def _rpc_methods(call: Call) -> set[str]:
    body = call.readable_body()
    calls = body if isinstance(body, list) else [body]
    return {str(one.get("method")) for one in calls if isinstance(one, dict)}
