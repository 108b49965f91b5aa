"""When somebody goes on with a generation, when it ends, and what a pass has felt about others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.parts import set_up_views
from commands.command import Command, Context, handle
from commands.generations import CallBack, EndOverdue, MediaTaken, RequestMedia, SayEvent
from consumers.felt import FeltViews
from consumers.reactions.promise import Promise
from consumers.worker import Pace, Worker
from domain.generation_events import CreationBegun, CreationDelivered, generation_stream
from ledger.ledger import Ledger, NewEvent
from projections.generations import Generations
from tests.projections.looking import catch_up, eventually_so, rows
from tests.world import Database

PASS = "pass:user:ann"
IDS = [f"{n}" * 8 + "-1111-4111-8111-111111111111" for n in range(1, 4)]


class Studio:
    """The ledger, the view, and a worker that only counts."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self.database, self.ledger = database, ledger
        self.looks: list[str] = []

    async def begin(self, id_: str, deadline: timedelta = timedelta(hours=1)) -> None:
        at = datetime.now(UTC)
        terms = CreationBegun(
            generation_id=id_,
            pass_id=PASS,
            parent_id=None,
            mma_mode="video",
            origin="animate",
            brief="",
            style=None,
            settings={},
            assets={},
            cost=0,
            costs_id="",
            provider="kling",
            begun_at=at,
            deadline_at=at + deadline,
            hold_expires_at=at + timedelta(hours=1),
        )
        row = NewEvent(generation_stream(id_), 1, terms, {"pass_id": PASS})
        await self.ledger.append([row], pass_id=PASS)
        await self.shown()

    async def do(self, command: Command) -> None:
        at = datetime.now(UTC)
        await handle(self.ledger, command, Context(at=at, correlation_id="t", causation_id="t"))
        await self.shown()

    async def shown(self) -> None:
        await catch_up(self.database.url, self.ledger, Generations())

    async def look(self, promise: Promise) -> None:
        self.looks.append(promise.kind)

    def worker(self) -> Worker:
        long = {kind: Pace(60.0, 60.0) for kind in ("mma", "mma_end")}
        reactions = {"mma": self.look, "mma_end": self.end}
        return Worker(self.database.url, reactions, lambda: datetime.now(UTC), paces=long)

    async def end(self, promise: Promise) -> None:
        await self.do(EndOverdue(generation_id=promise.order_id))
        self.looks.append(promise.kind)


@pytest.fixture
async def studio(database: Database, ledger: Ledger) -> Studio:
    await set_up_views(database.url)
    return Studio(database, ledger)


async def test_a_call_back_ends_the_pause_and_nothing_else_does(studio: Studio) -> None:
    id_ = IDS[0]
    await studio.begin(id_)
    worker = studio.worker()
    working = asyncio.create_task(worker.run())
    await eventually_so(lambda: studio.looks == ["mma"])
    await studio.do(RequestMedia(generation_id=id_, provider="kling", model="m", line="…"))
    await studio.do(MediaTaken(generation_id=id_, attempt=1, task_id="task-1"))
    await studio.do(CallBack(generation_id=id_))
    await eventually_so(lambda: studio.looks == ["mma", "mma"])
    worker.stop()
    await working
    assert studio.looks == ["mma", "mma"]


async def test_a_deadline_is_kept_beside_what_waits(studio: Studio) -> None:
    await studio.begin(IDS[0], deadline=timedelta(0))
    worker = studio.worker()
    working = asyncio.create_task(worker.run())
    await eventually_so(lambda: "mma_end" in studio.looks)
    worker.stop()
    await working
    (row,) = rows(studio.database.url, ["generations"])["generations"]
    assert (row["status"], row["due_at"], row["deadline_at"]) == ("failed", None, None)


async def test_what_was_felt_last_comes_first(studio: Studio) -> None:
    for id_ in IDS:
        await studio.begin(id_)
        await deliver(studio, id_)
    said = [(IDS[0], "like"), (IDS[2], "download"), (IDS[1], "dislike"), (IDS[0], "dislike")]
    for number, (id_, type_) in enumerate(said):
        await studio.do(SayEvent(generation_id=id_, event_id=f"e{number}", type=type_))
    felt = FeltViews(studio.database.url)
    assert await felt.newest(PASS, 2) == [IDS[0], IDS[1]]
    assert await felt.newest(PASS, 9) == [IDS[0], IDS[1], IDS[2]]
    assert await felt.newest("pass:user:eve", 9) == []


async def deliver(studio: Studio, id_: str) -> None:
    delivered = CreationDelivered(
        generation_id=id_,
        parent_id=None,
        mma_mode="video",
        output_url="https://media.example/a.mp4",
        content_type="video/mp4",
        sha256="0" * 64,
        bytes=1,
        provider="kling",
        model="m",
        prompt="",
        mma_vars={},
        delivered_at=datetime.now(UTC),
    )
    row = NewEvent(delivered.stream, 2, delivered, {"pass_id": PASS})
    await studio.ledger.append([row], pass_id=PASS)
