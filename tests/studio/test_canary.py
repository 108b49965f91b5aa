"""What somebody tells the studio is read by nobody who looks at a table, a topic or a log, also
where GPT and the makers of media repeat it in what they say of their troubles."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import structlog
from psycopg import sql
from structlog.testing import capture_logs

from commands.creations import BeginTweak
from commands.generations import SayEvent
from commands.passes import Identify, OpenPass
from commands.uploads import FetchUpload
from consumers.gateways.media import ConfiguredProviders
from consumers.gateways.mma_ports import StoredMedia
from consumers.gateways.pictures import digest
from consumers.gateways.ports import Failure, WillNotWork
from consumers.reactions.mma import Creations
from consumers.reactions.promise import Desk, Promise
from consumers.topics import event_message, topic_of
from domain.upload import Kept
from embedded.twins.paint import paint
from ledger.ledger import Ledger
from tests.e2e.canary import TABLES
from tests.projections.looking import catch_up_all
from tests.studio.conftest import AT
from tests.studio.making import BASE, Do, Grant, begin_still
from tests.world import Database

ADA = "pass:user:ada"
SAID = {
    name: f"{name} {word}, for my wife's birthday on the third of May"
    for name, word in (
        ("brief", "heron"),
        ("written", "marten"),
        ("line", "weasel"),
        ("tweak", "plover"),
        ("more", "bittern"),
    )
}
EMAIL = "grebe@mail.example"
SOURCE = "https://pictures.example/godwit.png?token=dunlin"
KEY, HOOK = "ark-sandpiper-key", "/webhooks/media/whimbrel"
NOBODY_READS = ["heron", "marten", "weasel", "plover", "bittern", "grebe", "godwit", "dunlin"]
NOBODY_READS += ["wife's birthday", "sandpiper", "whimbrel"]
ROWS = (
    "SELECT mg_position AS position, originator_id AS stream, originator_version AS version, topic,"
    " mg_recorded_at AS recorded_at, (event->'data')::text AS data,"
    " (event->'metadata')::text AS metadata FROM mega_generations ORDER BY mg_position"
)


class Gpt:
    """`refuses`: says so with all that it was asked."""

    refuses = False

    async def ask(self, body: bytes, *, reference: str) -> str:
        asked = json.loads(body)
        if self.refuses:
            said = asked["input"][0]["content"][0]["text"]
            raise WillNotWork(f"openai: refused: {SAID['brief']} {said}", error_class="refused")
        texts = {"clean_prompt": SAID["written"], "userMessage_final": SAID["line"]}
        fields = asked["text"]["format"]["schema"]["required"]
        return json.dumps({name: texts.get(name, SAID["line"]) for name in fields})


class Nobody:
    async def newest(self, pass_id: str, most: int) -> list[str]:
        return []


class Store:
    async def put(self, generation_id: str, content: bytes, content_type: str) -> StoredMedia:
        url = f"{BASE}/generations/{generation_id}/made.png"
        return StoredMedia(url, digest(content), content_type, len(content), 64, 64)

    async def find(self, generation_id: str) -> StoredMedia | None:
        return None


def ark(refuses: list[bool]) -> Any:
    """Makes a picture, or refuses with the prompt, the key and our address in its words."""

    def answer(request: httpx.Request) -> httpx.Response:
        prompt = json.loads(request.content)["prompt"]
        if refuses.pop(0):
            words = f"{prompt} {KEY} https://mega.example{HOOK} {HOOK}"
            error = {"code": "InputTextSensitiveContentDetected", "message": words}
            return httpx.Response(400, json={"error": error})
        picture = base64.b64encode(paint(prompt, seed=1, width=64, height=64)).decode()
        usage = {"images": 1, "input": prompt}
        return httpx.Response(200, json={"data": [{"b64_json": picture}], "usage": usage})

    return httpx.MockTransport(answer)


async def a_life(do: Do, ledger: Ledger) -> None:
    """A still, a tweak, and two that are refused; with all that is told on the way."""
    await do(OpenPass(new_pass_id=ADA))
    email = {"identity": f"email:{'5e' * 16}", "email": EMAIL}
    await do(Identify(**email, new_pass_id="pass:user:x", current=ADA))
    await do(Grant(to=ADA, amount=10))
    kept = Kept(f"{BASE}/uploads/a.png", "ab", "image/png", 9, 64, 64)
    await do(FetchUpload(upload_id="u-1", owner=ADA, purpose="image", source=SOURCE, kept=kept))
    gpt = Gpt()
    makers = ConfiguredProviders(
        client=httpx.AsyncClient(transport=ark([False, False, True])),
        urls={"SEEDREAM_URL": "https://ark.example"},
        keys={"seedream": KEY},
        hosts=frozenset(),
    )
    desk = Desk(ledger, lambda: AT)
    creations = Creations(
        desk, gpt, Nobody(), makers, Store(), lambda *_: f"https://mega.example{HOOK}"
    )

    async def attend(generation_id: str) -> None:
        promise = Promise(f"mma:{generation_id}", "mma", generation_id, "", 0, AT)
        try:
            await creations.attend(promise)
        except Failure as failure:
            structlog.get_logger().warning("promise_waits", why=failure.reason)

    image = {"product_image": kept.public_url}
    first = await begin_still(do, ADA, SAID["brief"], **image)
    await attend(first)
    await do(SayEvent(generation_id=first, event_id="e-1", type="like", more=SAID["more"]))
    ids = {"generation_id": str(uuid4()), "event_id": str(uuid4())}
    await do(BeginTweak(owner=ADA, **ids, brief=SAID["tweak"], parent=first))
    await attend(ids["generation_id"])
    await attend(await begin_still(do, ADA, SAID["brief"]))
    gpt.refuses = True
    await attend(await begin_still(do, ADA, SAID["brief"]))


def tables(database: Database) -> dict[str, str]:
    """All that a superuser reads, by table."""
    found = {}
    with psycopg.connect(database.superuser_url, autocommit=True) as session:
        for schema, table in session.execute(TABLES.encode()).fetchall():
            all_ = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            found[f"{schema}.{table}"] = "\n".join(row for (row,) in session.execute(all_))
    return found


def messages(database: Database) -> str:
    """All that would go to Kafka."""
    columns = ("position", "stream", "version", "topic", "recorded_at", "data", "metadata")
    with psycopg.connect(database.url) as session:
        rows: list[tuple[Any, ...]] = session.execute(ROWS.encode()).fetchall()
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    return "\n".join(
        str(event_message("", **row)) for row in named if topic_of(row["stream"]) is not None
    )


async def test_nobody_reads_what_was_told_in_confidence(
    do: Do, ledger: Ledger, database: Database
) -> None:
    with capture_logs() as logs:
        await a_life(do, ledger)
        await catch_up_all(database.url, ledger)
    places = {**tables(database), "topics": messages(database), "logs": str(logs)}
    ends = [line for line in places["topics"].splitlines() if "creation_" in line]
    assert sum("creation_delivered" in line for line in ends) == 2
    assert sum("creation_failed" in line for line in ends) == 2
    assert places["public.mega_generations"]
    leaks = [
        (place, word) for place, text in places.items() for word in NOBODY_READS if word in text
    ]
    assert leaks == []
