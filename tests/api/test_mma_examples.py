"""Every example of the studio does what it says, for somebody who has matcha and creations."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from api.routes.examples import DELIVERED
from tests.api.artists import Artist, FakeText, artist, studio
from tests.api.living import Living
from tests.api.openapi import Operation, operations
from tests.world import TestWorld

OF_STUDIO = ("/mma/", "/archive", "/sessions", "/studio/")
BASE = DELIVERED.partition("/generations/")[0]


@pytest.fixture(scope="module")
async def here(world: TestWorld) -> AsyncIterator[Living]:
    with world.database() as database:
        given = {"s3_public_base_url": BASE, "ask_text": FakeText().ask}
        async with studio(world, database, **given) as made:
            yield made


async def prepared(ada: Artist, op: Operation) -> dict[str, str]:
    """What the path of the route speaks of."""
    if op.path.startswith("/sessions/"):
        return {"session_id": (await ada.post("/sessions")).json()["session_id"]}
    if "{generation_id}" not in op.path:
        return {}
    if "/video/" in op.path:
        return {"generation_id": await ada.video(image=f"{BASE}/generations/5e.png")}
    id_ = await ada.begun()
    return {"generation_id": id_ if op.path.endswith("/cancel") else await ada.delivered(id_)}


async def test_every_example_of_the_studio_is_executed(here: Living) -> None:
    told = operations(here.app.openapi())
    asked = [op for op in told if op.path.startswith(OF_STUDIO) or op.path == "/me"]
    assert len(asked) >= 14
    for op in asked:
        ada = await artist(here, 9)
        path = op.filled(await prepared(ada, op))
        await here.shown()
        query = {k: v for k, v in op.query().items() if k not in ("as_of", "cursor", "token")}
        answer = await ada.caller.ask(op.method, path, json=op.example, params=query)
        assert answer.status_code == op.statuses[0], (op.path, answer.text)
        if "/stream/" not in op.path:
            assert answer.json().keys() == op.schema(answer.status_code).keys(), op.path


async def test_without_matcha_the_example_of_a_refusal_is_what_is_said(here: Living) -> None:
    poor = await artist(here)
    (op,) = [op for op in operations(here.app.openapi()) if op.path == "/mma/still/create"]
    answer = await poor.post(op.path, op.example)
    assert answer.status_code == 402 and op.schema(402).keys() <= answer.json().keys()
