"""What listeners hear, as text: the envelope of `contract.md` §6, the same over both transports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson

from domain.mint_view import spoken_time
from projections.announcers import all_announcers

NOWHERE = 0
"""The position of a reset: whoever goes on from it is reset again."""


@dataclass(frozen=True)
class Message:
    """One envelope; all who hear it share it."""

    position: int
    text: str

    @cached_property
    def frame(self) -> bytes:
        """As a server-sent event. It has no name, so that `onmessage` hears all of them."""
        return f"id: {self.position}\r\ndata: {self.text}\r\n\r\n".encode()


def message_of(position: int, pass_id: str, type_: str, time: datetime, data: str) -> Message:
    """A row of the feed, its data as JSON text."""
    return _message(position, pass_id, type_, time, orjson.Fragment(data))


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
