"""The canary itself: it finds what is planted. What it finds after all stories, nothing, is asked
when their stages end (conftest.py)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest

from tests.consumers.topic_reading import raw_producer
from tests.e2e.canary import Canary
from tests.e2e.payer import Payer


@dataclass(frozen=True)
class Planted:
    header: str

    @property
    def signature(self) -> str:
        return str(json.loads(base64.b64decode(self.header))["payload"]["signature"])


FORMS: dict[str, Callable[[Planted], str]] = {
    "the header": lambda it: it.header,
    "half of the header": lambda it: it.header[: len(it.header) // 2],
    "the header written anew": lambda it: base64.b64encode(
        json.dumps({"again": json.loads(base64.b64decode(it.header))}).encode()
    ).decode(),
    "the signature": lambda it: f'{{"signature": "{it.signature}"}}',
    "the signature in capitals": lambda it: it.signature.upper(),
    "its second half": lambda it: it.signature[66:],
    "its bytes in base64": lambda it: base64.b64encode(
        b"\x19\x01" + bytes.fromhex(it.signature[2:])
    ).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_canary_hears_a_secret_in_any_form(payer: Payer, form: str) -> None:
    canary, planted = Canary(), Planted(payer.sign())
    canary.header(planted.header)
    assert canary.hears(f"so it was: {FORMS[form](planted)}!")
    assert not canary.hears(f"so it was: {FORMS[form](Planted(payer.sign()))}!")


def test_the_canary_looks_everywhere(payer: Payer) -> None:
    """The secret is of this test only; what it is written into goes with the stage."""
    stage, canary, prompt = payer.stage, Canary(), "a planet that nobody may hear of"
    canary.prompt(prompt)
    kafka = stage.world.gives("kafka")["KAFKA_BOOTSTRAP_SERVERS"]
    topic = f"{stage.prefix}mega.parked"
    with raw_producer(kafka) as producer:
        producer.send(topic, prompt.encode(), headers=[("ce_id", b"planted")]).get(10)
    with psycopg.connect(stage.database.superuser_url, autocommit=True) as session:
        session.execute("CREATE TABLE views.planted AS SELECT %s AS said", (prompt,))
        found = canary.leaks(stage)
        session.execute("DROP TABLE views.planted")
    assert sorted(found) == ["table views.planted", f"topic {topic}"]
    canary.error(f"400 {prompt}")
    log = stage.logs()[0].with_name("planted.log")
    log.write_text(prompt)
    assert {"error bodies", "log planted.log"} <= set(canary.leaks(stage))
    log.unlink()


def test_a_vendor_that_repeats_what_it_was_told_is_not_repeated(payer: Payer) -> None:
    vendors, prompt, header = payer.stage.vendors, payer.prompt(), payer.sign("regenerate")
    signature = Planted(header).signature
    no = {"status": "success", "data": {"valid": False, "reason": f"bad signature {signature}"}}
    vendors["onchainfi"].script(match={"path": "/verify"}, response={"body": no})
    assert payer.generate(header, prompt).status_code == 402
    oops = {"status": "error", "message": f"cannot settle {header}"}
    vendors["onchainfi"].script(match={"path": "/settle"}, response={"status": 502, "body": oops})
    error = {"code": "moderation_blocked", "type": "x", "message": f"We paint no '…{prompt[9:]}'."}
    vendors["openai"].script(response={"status": 400, "body": {"error": error}})
    assert payer.generate(header, prompt).json()["code"] == "CONTENT_REFUSED"
    assert payer.generate().status_code == 200
    payer.check_charged("regenerate")
    assert payer.stage.canary.leaks(payer.stage) == []
