"""Work that takes a twin a while: its pace, whether it ends well, and telling whoever asked.

A task is an effect in the journal, and its state follows from its age by the twin's clock: a twin
that was killed knows its tasks, only callbacks that were still to come are lost.

Control calls: `POST /_twin/callbacks {send}`: whether callbacks are sent at all; `POST /_twin/tasks
{takes_ms?, fail?: {times, message}}`: how long tasks take from now on, and that the next ones end
as failed. `/_twin/reset` forgets both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
import stamina
import structlog
from pydantic import BaseModel, ConfigDict, Field

from embedded.twins.journal import Journal
from embedded.twins.script import parse
from embedded.twins.wire import Answer, Call

TAKES_MS = 1_000
BEGINS_AFTER = 0.3
ANSWERS_WITHIN_S = 5.0

log = structlog.get_logger()

Delivery = tuple[bytes, dict[str, str]]
"""Body and headers of one callback."""


class Callbacks(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    send: bool


class Fail(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    times: int = Field(default=1, ge=1, le=100_000)
    message: str = Field(max_length=500)


class Pace(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    takes_ms: int | None = Field(default=None, ge=0, le=3_600_000)
    fail: Fail | None = None


class Works:
    """How one twin works, and the callbacks it still has to make. `attempts` to deliver each."""

    def __init__(self, *, attempts: int) -> None:
        self._attempts = attempts
        self._under_way: set[asyncio.Task[None]] = set()
        self.forget()

    def forget(self) -> None:
        self._sends, self._takes_ms = True, TAKES_MS
        self._fail = Fail(message="")
        self._failing = 0

    def control(self, call: Call) -> Answer | None:
        match call.method, call.path:
            case "POST", "/_twin/callbacks":
                self._sends = parse(Callbacks, call.body).send
            case "POST", "/_twin/tasks":
                pace = parse(Pace, call.body)
                self._takes_ms = self._takes_ms if pace.takes_ms is None else pace.takes_ms
                if pace.fail:
                    self._fail, self._failing = pace.fail, pace.fail.times
            case _:
                return None
        told = {"send": self._sends, "takes_ms": self._takes_ms, "failing": self._failing}
        return Answer.json(200, told)

    def next(self) -> dict[str, Any]:
        """How the task that begins now will go: what belongs into its effect."""
        fails = self._failing > 0
        self._failing -= fails
        return {"takes_ms": self._takes_ms, "fails": self._fail.message if fails else None}

    def later(self, after_ms: float, url: str, delivery: Callable[[], Delivery]) -> None:
        """POST to `url` in `after_ms`, what there is to tell by then."""
        task = asyncio.create_task(self._deliver(after_ms / 1000, url, delivery))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, after_s: float, url: str, delivery: Callable[[], Delivery]) -> None:
        await asyncio.sleep(after_s)
        if not self._sends:
            return
        try:
            async for attempt in stamina.retry_context(
                on=httpx.HTTPError, attempts=self._attempts, wait_initial=0.2, wait_max=2.0
            ):
                with attempt:
                    await _post(url, *delivery())
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("callback_not_taken", why=type(error).__name__)


def begun(item: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(item["at"])


def progress(item: dict[str, Any], journal: Journal) -> float:
    """0 when a task has just begun, 1 and more when it is over."""
    age, takes = journal.now() - begun(item), timedelta(milliseconds=item["takes_ms"])
    return age / takes if takes else 1.0


async def _post(url: str, body: bytes, headers: dict[str, str]) -> None:
    told = {"content-type": "application/json", **headers}
    async with httpx.AsyncClient(timeout=ANSWERS_WITHIN_S, verify=False) as client:
        (await client.post(url, content=body, headers=told)).raise_for_status()


def as_body(value: object) -> bytes:
    return orjson.dumps(value)
