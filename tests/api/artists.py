"""People in the studio: with matcha, with stills and videos that the pipeline makes at our word."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import orjson

from api.studio import TextFailed
from commands.command import Seen, look
from commands.generations import (
    Advance,
    Deliver,
    FailCreation,
    RecordStep,
    RequestMedia,
    SeeGeneration,
)
from commands.matcha import WithMatcha
from domain.event import Event, secret
from domain.generation import Generation
from domain.matcha import MatchaAccount, NewLot
from tests.api.living import Caller, Living, living
from tests.world import Database, TestWorld

BASE = "http://assets.test"
PICTURE = f"{BASE}/uploads/{'5e' * 32}.png"
SHOP = "mina-test.myshopify.com"
CHECKOUT = f"https://{SHOP}/cart/1:1"
BRIEF = "A cup of matcha on wet stone"
LASTS = timedelta(days=30)
READERS = {
    "create": "gpt_reader",
    "tweak": "gpt_feedback_still",
    "animate": "gpt_reader_motion",
    "regenerate": "gpt_feedback_motion",
}


class GiveMatcha(WithMatcha):
    """A paid lot, as if an order had led to it."""

    owner: str
    amount: int
    lot_id: str

    def whose(self, seen: Seen) -> str:
        return self.owner

    def decide(self, seen: Seen, at: Any) -> list[Event]:
        lot = NewLot(self.lot_id, "paid", self.amount, at + LASTS, "order:test")
        return self.account(seen).grant(self.pass_id(seen), lot, at)


@dataclass
class FakeText:
    """GPT by hand: answers what the test says, and keeps what it was asked."""

    answer: str = orjson.dumps({"motion_prompt": "The steam rises."}).decode()
    fails: TextFailed | None = None
    asked: list[bytes] = field(default_factory=list)

    async def ask(self, body: bytes, reference: str) -> str:
        self.asked.append(body)
        if self.fails:
            raise self.fails
        return self.answer


@dataclass
class Artist:
    """Somebody in the studio."""

    here: Living
    caller: Caller

    async def post(self, path: str, body: Any = None, key: str = "") -> httpx.Response:
        named = {"Idempotency_Key": key} if key else {}
        return await self.caller.post(path, {} if body is None else body, **named)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.caller.get(path, **query)

    async def seen(self, path: str, **query: Any) -> Any:
        """The body of a read that shows all that is recorded."""
        answer = await self.get(path, min_position=await self.here.position(), **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def buy(self, amount: int) -> None:
        lot_id = f"lot:{secrets.token_hex(8)}"
        await self.here.do(GiveMatcha(owner=self.caller.pass_id, amount=amount, lot_id=lot_id))

    async def begun(self, path: str = "/mma/still/create", **body: Any) -> str:
        if path == "/mma/still/create":
            body = {"brief": BRIEF, **body}
        answer = await self.post(path, body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["generation_id"])

    async def still(self, **body: Any) -> str:
        """A still that was delivered."""
        return await self.delivered(await self.begun(**body))

    async def video(self, **body: Any) -> str:
        id_ = await self.begun("/mma/video/animate", **{"image": PICTURE, **body})
        return await self.delivered(id_)

    # The pipeline's part, at our word.

    async def generation(self, id_: str) -> Generation:
        see = SeeGeneration(generation_id=id_)
        return see.generation(await look(self.here.parts.ledger, see))

    async def account(self) -> MatchaAccount:
        see = GiveMatcha(owner=self.caller.pass_id, amount=0, lot_id="")
        return see.account(await look(self.here.parts.ledger, see))

    async def tell(self, id_: str, line: str) -> None:
        await self.here.do(Advance(generation_id=id_, status="prompting", line=line))

    async def fail(self, id_: str) -> None:
        failed = {"code": "PROVIDER_FAILED", "reason": "away"}
        await self.here.do(FailCreation.model_validate({"generation_id": id_, **failed}))

    async def delivered(self, id_: str) -> str:
        known = await self.generation(id_)
        assert known.terms is not None
        prompt = {"clean_prompt": secret(f"Clean: {known.terms.brief}")}
        await self._step(id_, READERS[known.terms.origin], prompt)
        maker = known.terms.provider
        asked = {"provider": maker, "model": "m", "line": "Making it."}
        await self.here.do(RequestMedia(generation_id=id_, **asked))
        made = {
            "output_url": f"{BASE}/generations/{secrets.token_hex(32)}.png",
            "content_type": "image/png",
            "sha256": "5e",
            "bytes": 1,
            "model": "m",
        }
        await self._step(id_, f"{maker}_generate", made)
        await self.here.do(Deliver(generation_id=id_))
        return id_

    async def _step(self, id_: str, type_: str, output: dict[str, Any]) -> None:
        timing = {"started_at": "", "ended_at": "", "duration_ms": 0}
        payload = {"input": {}, "output": output, "timing": timing, "error": None}
        after = len((await self.generation(id_)).steps)
        step = RecordStep(generation_id=id_, type=type_, payload=payload, after=after)
        await self.here.do(step)


async def artist(here: Living, matcha: int = 0) -> Artist:
    made = Artist(here, await here.caller())
    if matcha:
        await made.buy(matcha)
    return made


@asynccontextmanager
async def studio(world: TestWorld, database: Database, **given: Any) -> AsyncIterator[Living]:
    """The application with a shop and a store of pictures."""
    named = {"s3_public_base_url": BASE, "mega_shopify_shop": SHOP, "mega_checkout_url": CHECKOUT}
    async with living(world, database, **{**named, **given}) as here:
        yield here
