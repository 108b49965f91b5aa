"""A studio without providers: passes with matcha, and generations taken to any end by commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from commands.command import Command, Outcome, Seen
from commands.creations import BeginStill
from commands.generations import Advance, Deliver, RecordStep, RequestMedia
from domain.event import Event, secret
from domain.generation_events import generation_stream
from domain.matcha import MatchaAccount, NewLot, matcha_stream

Do = Callable[[Command], Awaitable[Outcome]]
BASE = "http://assets.test/assets"
BRIEF = "A glass of iced matcha on wet stone"
SETTINGS = {"aspect_ratio": "1:1"}


class Grant(Command):
    """Matcha from nowhere: a paid lot that nobody paid for."""

    to: str
    amount: int
    lot: str = ""
    days: int = 30

    def reads(self, seen: Seen) -> Any:
        yield matcha_stream(self.to)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        lot_id = self.lot or f"test:{uuid4()}"
        expires_at = at + timedelta(days=self.days)
        lot = NewLot(lot_id, "paid", self.amount, expires_at, f"order:shopify:test:{lot_id}")
        return seen.get(MatchaAccount, matcha_stream(self.to)).grant(self.to, lot, at)

    def pass_id(self, seen: Seen) -> str:
        return self.to


def step(output: dict[str, Any] | None, error: dict[str, str] | None = None) -> dict[str, Any]:
    """A payload of exactly its four members."""
    at = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    timing = {"started_at": at, "ended_at": at, "duration_ms": 0}
    return {"input": {}, "output": output or {}, "timing": timing, "error": error}


async def begin_still(do: Do, owner: str, brief: str = BRIEF, **assets: Any) -> str:
    generation_id = str(uuid4())
    begin = BeginStill(
        owner=owner,
        generation_id=generation_id,
        event_id=str(uuid4()),
        brief=brief,
        settings=SETTINGS,
        assets=assets,
    )
    await do(begin)
    return generation_id


async def make(do: Do, generation_id: str) -> str:
    """Takes a still that was just begun without pictures to its delivery; its URL."""
    id_ = {"generation_id": generation_id}
    url = f"{BASE}/{generation_stream(generation_id).replace(':', '/')}/made.png"
    await do(Advance(**id_, status="prompting", line="Finding the right words for it."))
    written = {"clean_prompt": secret("clean"), "userMessage_final": secret("A calm one.")}
    await do(RecordStep(**id_, type="gpt_reader", payload=step(written), after=0))
    await do(RequestMedia(**id_, provider="seedream", model="m-1", line="Making your picture."))
    made = {"output_url": url, "content_type": "image/png", "sha256": "ab", "bytes": 9}
    payload = step({**made, "model": "m-1"})
    who = {"provider": "seedream", "model": "m-1"}
    await do(RecordStep(**id_, type="seedream_generate", payload=payload, after=1, **who))
    await do(Deliver(**id_))
    return url


async def still(do: Do, owner: str, brief: str = BRIEF) -> str:
    """A delivered still."""
    generation_id = await begin_still(do, owner, brief)
    await make(do, generation_id)
    return generation_id
