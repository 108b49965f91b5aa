"""A studio without a vendor: a ledger in memory, and makers that do as they are told."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from commands.creations import BeginStill, BeginTweak, BeginVideo
from consumers.gateways.mma_ports import Made, MediaWanted, StoredMedia, Submitted
from consumers.gateways.pictures import digest
from consumers.gateways.ports import Failure, OutcomeUnknown
from consumers.reactions.mma import Creations
from consumers.reactions.promise import Desk, Promise
from domain.generation import Generation
from domain.generation_events import StepRecorded, generation_stream
from domain.matcha import MatchaAccount, NewLot, matcha_stream
from tests.reactions.ledger import MemoryLedger
from tests.spec import NOON

PASS = "pass:user:ann"
BASE = "https://media.example"
FIRST = "11111111-1111-4111-8111-111111111111"
ASSETS = {
    "product_image": f"{BASE}/product.png",
    "logo_image": f"{BASE}/logo.png",
    "inspiration_images": [f"{BASE}/one.png", f"{BASE}/two.png"],
}


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Fate:
    """What becomes of the calls of one kind, in turn; nothing left: they work."""

    next: list[Any] = field(default_factory=list)

    def meet(self) -> Any:
        what = self.next.pop(0) if self.next else None
        if isinstance(what, Failure | Crash):
            raise what
        return what


class FakeTexts:
    """Writes as many texts as are asked for; `fate` may hold the whole answer."""

    def __init__(self, before):
        self.bodies: list[bytes] = []
        self.fate, self._before = Fate(), before

    async def ask(self, body: bytes, *, reference: str) -> str:
        self._before("ask")
        self.bodies.append(body)
        said = self.fate.meet()
        await asyncio.sleep(0)  # whoever else works on it has their turn
        schema = json.loads(body)["text"]["format"]["schema"]
        self._before("asked")
        return said or json.dumps({name: f"a {name}" for name in schema["required"]})


class FakeMaker:
    """Answers at once (`seedream`), or takes tasks (all others); counts what it made."""

    def __init__(self, studio, row):
        self.name, self.model = row["name"], "model-1"
        self.asynchronous = row["shape"] != "sync_json"
        self.recoverable = "find" in row["response"]
        self._studio = studio

    def request_of(self, wanted: MediaWanted) -> dict[str, Any]:
        return {"model": self.model, "prompt": wanted.prompt, "images": dict(wanted.images)}

    async def start(self, wanted: MediaWanted):
        studio = self._studio
        studio.before("start")
        studio.wanted.append(wanted)
        lost = studio.starts.meet()
        studio.tasks[wanted.reference] += 1
        if isinstance(lost, str):
            raise studio.unknown(wanted)
        studio.before("started")
        if not self.asynchronous:
            return Made((), studio.content, "image/png", {"request_id": "r1"})
        return Submitted(f"task-{wanted.reference}")

    async def find(self, wanted: MediaWanted):
        self._studio.before("find")
        known = self._studio.tasks[wanted.reference]
        return Submitted(f"task-{wanted.reference}") if known else None

    async def poll(self, task_id: str):
        self._studio.before("poll")
        if self._studio.polls.meet() == "working":
            return None
        return Made((f"https://temporary.example/{task_id}?Expires=1",), None, "", {"usage": 1})

    async def fetch(self, made: Made):
        self._studio.before("fetch")
        self._studio.fetches.meet()
        still = made.content is not None
        return made.content or b"a video", "image/png" if still else "video/mp4"


class FakeStore:
    def __init__(self, studio):
        self.kept: dict[str, StoredMedia] = {}
        self._studio = studio

    async def put(self, generation_id, content, content_type):
        self._studio.before("put")
        self._studio.puts.meet()
        name, size = digest(content), len(content)
        url = f"{BASE}/generations/{generation_id}/{name}.{content_type[-3:]}"
        self.kept[generation_id] = StoredMedia(url, name, content_type, size)
        self._studio.before("stored")
        return self.kept[generation_id]

    async def find(self, generation_id):
        self._studio.before("look in store")
        return self.kept.get(generation_id)


class Felt:
    def __init__(self):
        self.ids: list[str] = []

    async def newest(self, pass_id, most):
        return self.ids[:most]


class Studio:
    """`deaths` are the calls of ports, counted from 1, at which the process dies;
    `dies_once` is what it is about to do."""

    def __init__(self):
        self.content = b"a picture"
        self.deaths: set[int] = set()
        self.dies_once = ""
        self.calls = 0
        self.ledger = MemoryLedger(self.before)
        self.texts, self.felt, self.store = FakeTexts(self.before), Felt(), FakeStore(self)
        self.starts, self.polls, self.fetches, self.puts = Fate(), Fate(), Fate(), Fate()
        self.wanted: list[MediaWanted] = []
        self.tasks: Counter[str] = Counter()
        lot = NewLot("lot", "paid", 100, datetime.max.replace(tzinfo=NOON.tzinfo), "order:1")
        self.ledger.put(MatchaAccount().grant(PASS, lot, NOON))
        self.open()

    def open(self) -> None:
        """A process, which remembers nothing."""
        self.desk = Desk(self.ledger, lambda: self.ledger.now)
        ports = (self.texts, self.felt, self, self.store, lambda name, id_: f"{BASE}/{name}/{id_}")
        self.creations = Creations(self.desk, *ports)

    def of(self, row, defaults):
        """`MediaProviders`."""
        return FakeMaker(self, row)

    def before(self, what: str) -> None:
        self.calls += 1
        if self.calls in self.deaths or what == self.dies_once:
            self.dies_once = ""
            raise Crash()

    def unknown(self, wanted: MediaWanted) -> Failure:
        return OutcomeUnknown("lost", reference=wanted.reference)

    # Asked for.

    async def still(self, id_: str = FIRST, **what) -> str:
        given = {"brief": "a red cup", "settings": {"aspect_ratio": "1:1"}, "assets": {}}
        return await self._begin(BeginStill, id_, given | what)

    async def video(self, id_: str = FIRST, **what) -> str:
        given = {"brief": "", "settings": {}, "assets": {"image": f"{BASE}/cup.png"}}
        return await self._begin(BeginVideo, id_, given | what)

    async def tweak(self, id_: str, parent: str, feedback: str) -> str:
        return await self._begin(BeginTweak, id_, {"brief": feedback, "parent": parent})

    async def _begin(self, kind, id_: str, what) -> str:
        begin = kind(owner=PASS, generation_id=id_, event_id=f"{id_}-e", **what)
        await self.desk.do(begin, cause="test")
        return id_

    # Worked on.

    async def attend(self, id_: str = FIRST) -> None:
        await self.creations.attend(self._promise("mma", id_))

    async def end(self, id_: str = FIRST) -> None:
        await self.creations.end(self._promise("mma_end", id_))

    async def until_done(self, id_: str = FIRST, tries: int = 60) -> Generation:
        """Attended again and again, through failures and deaths; a second later each time."""
        for _ in range(tries):
            known = self.known(id_)
            if known.ended and not known.awaits_late:
                return known
            try:
                await self.attend(id_)
            except Failure as failure:
                self.ledger.later(getattr(failure, "after_s", 1.0))
            except Crash:
                self.open()
            self.ledger.later(1)
            if self.ledger.now >= known.terms.deadline_at:
                await self.end(id_)
        raise AssertionError(f"{self.known(id_).status} after {tries} looks")

    def _promise(self, kind: str, id_: str) -> Promise:
        return Promise(f"{kind}:{id_}", kind, id_, "", 0, NOON)

    # What there is.

    def events(self, id_: str = FIRST) -> list[Any]:
        stream = generation_stream(id_)
        return [event for event in self.ledger.history if event.stream == stream]

    def known(self, id_: str = FIRST) -> Generation:
        known = Generation()
        for event in self.events(id_):
            known = known.evolve(event)
        return known

    def steps(self, id_: str = FIRST) -> list[StepRecorded]:
        return [event for event in self.events(id_) if isinstance(event, StepRecorded)]

    def account(self) -> MatchaAccount:
        account, stream = MatchaAccount(), matcha_stream(PASS)
        for event in self.ledger.history:
            account = account.evolve(event) if event.stream == stream else account
        return account
