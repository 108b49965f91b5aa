"""What listeners hear, as text: the envelope of `contract.md` §6, the same over both transports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson

from domain.mint_view import spoken_time
from projections.announcers import all_announcers
from projections.studio_announcers import TOLD

NOWHERE = 0
"""The position of a reset: whoever goes on from it is reset again."""
ENDS = frozenset({"done", "failed"})


Reveal = Callable[[str, str], str]
"""Pass and sealed text → the text."""


def _as_it_is(pass_id: str, text: str) -> str:
    return text


@dataclass(frozen=True)
class Line:
    """What one generation tells; `kind` names the event in its own stream."""

    generation_id: str
    kind: str
    data: str

    @property
    def last(self) -> bool:
        return self.kind in ENDS


@dataclass(frozen=True)
class Message:
    """One envelope; all who hear it share it. `line` is the same for whoever follows only the
    generation that it is about."""

    position: int
    text: str
    line: Line | None = None

    @cached_property
    def frame(self) -> bytes:
        """As a server-sent event. It has no name, so that `onmessage` hears all of them."""
        return f"id: {self.position}\r\ndata: {self.text}\r\n\r\n".encode()

    @cached_property
    def line_frame(self) -> bytes:
        """As a server-sent event of the generation's own stream, named by its kind."""
        assert self.line is not None
        named = f"event: {self.line.kind}\r\nid: {self.position}"
        return f"{named}\r\ndata: {self.line.data}\r\n\r\n".encode()


def message_of(
    position: int, pass_id: str, type_: str, time: datetime, data: str, reveal: Reveal = _as_it_is
) -> Message:
    """A row of the feed, its data as JSON text; `reveal` opens a text sealed for a pass."""
    if type_ != TOLD:
        return _message(position, pass_id, type_, time, orjson.Fragment(data))
    said = orjson.loads(data)
    if "text" in said:
        said["text"] = reveal(pass_id, said["text"])
    spoken = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    line = Line(said["generation_id"], said["kind"], spoken.decode())
    return replace(_message(position, pass_id, type_, time, orjson.Fragment(spoken)), line=line)


def topic_of(generation_id: str) -> str:
    """What those who follow one generation listen for; no pass is called so."""
    return f"generation:{generation_id}"


def about(type_: str, data: str) -> str:
    """The topic of a row of the feed; empty: it has none."""
    return topic_of(orjson.loads(data)["generation_id"]) if type_ == TOLD else ""


def reset(pass_id: str, at: datetime, why: str) -> Message:
    return _message(NOWHERE, pass_id, "reset", at, {"reason": why})


def snapshot(
    position: int, pass_id: str, at: datetime, shown: Iterable[tuple[str, str]]
) -> Message:
    """How all things of a pass stand at `position`; `shown`: kind and JSON text of each."""
    lists: dict[str, list[Any]] = {one.kind: [] for one in all_announcers()}
    for kind, text in shown:
        lists.setdefault(kind, []).append(orjson.Fragment(text))
    return _message(position, pass_id, "snapshot", at, lists)


def _message(position: int, pass_id: str, type_: str, time: datetime, data: Any) -> Message:
    about = {"id": str(position), "type": type_, "time": spoken_time(time), "pass_id": pass_id}
    return Message(position, orjson.dumps({**about, "data": data}).decode())
