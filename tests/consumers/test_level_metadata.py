"""Metadata and picture of a level token come to stay in IPFS, whoever is away meanwhile."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from consumers.gateways.cid import cid_of
from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from consumers.levels.emblem import emblem
from consumers.levels.token import image_cid, sealed
from consumers.reactions.level_metadata import cache_key
from embedded.twins.ipfs import Ipfs as Nodes
from ledger.ledger import Ledger
from tests.consumers.conftest import MASTER_KEY
from tests.consumers.pinning import ADD, ADD_AT_BACKUP, PATIENCE_S, Pinning, effects
from tests.twins.alone import Alone, alone
from tests.world import TestWorld

AWAY = {"response": {"status": 503}}
LIE = {"response": {"status": 200, "body": {"Name": "x", "Hash": cid_of(b"another"), "Size": "7"}}}
OLD_PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg"><title>as it once was</title></svg>'


@pytest_asyncio.fixture(scope="module")
async def ledger(world: TestWorld) -> AsyncIterator[Ledger]:
    with world.database() as database:
        async with Ledger(database.url, master_key=MASTER_KEY) as opened:
            yield opened


@pytest_asyncio.fixture(scope="module")
async def nodes() -> AsyncIterator[Alone]:
    async with alone(Nodes()) as twin:
        yield twin


@pytest_asyncio.fixture
async def case(ledger: Ledger, nodes: Alone) -> Pinning:
    """A pass of its own."""
    await nodes.steer("reset", {})
    return Pinning(ledger, nodes, before=len(await effects(nodes)))


def painted_before(level: int, upgrade_id: str) -> dict[str, str]:
    """Metadata that names a picture which is not drawn any more."""
    text = sealed(level, upgrade_id)[0]
    text = text.replace(image_cid(text), cid_of(OLD_PICTURE))
    return {"metadata": text, "cid": cid_of(text.encode())}


async def test_both_files_stay_under_the_addresses_in_the_ledger(case: Pinning) -> None:
    requested = await case.wanted(level=2)
    await case.pin()
    picture = image_cid(requested.metadata)
    assert await case.fetch(requested.cid) == requested.metadata.encode()
    assert await case.fetch(picture) == emblem(2)
    assert await case.pins("first") == [picture, requested.cid]
    assert (await case.attempt(requested)).metadata_stored
    assert case.cache.kept == {
        cache_key(picture): (emblem(2), "image/svg+xml"),
        cache_key(requested.cid): (requested.metadata.encode(), "application/json"),
    }


async def test_what_is_stored_is_not_sent_again(case: Pinning) -> None:
    await case.wanted(level=1)
    for _ in range(3):
        await case.pin()
    assert len(await case.pins("first")) == 2


@pytest.mark.parametrize(
    "fault",
    [
        AWAY,
        LIE,
        {"drop": "before"},
        {"drop": "after_effect"},
        {"truncate_body_at": 5},
        {"delay_ms": int(PATIENCE_S * 2_000)},
    ],
    ids=["503", "another CID", "hung up", "answer lost", "answer cut", "too late"],
)
async def test_the_backup_has_them_under_the_same_addresses(
    case: Pinning, fault: dict[str, Any]
) -> None:
    requested = await case.wanted(level=3)
    await case.faulty(ADD, **fault)
    await case.pin()
    assert await case.pins("backup") == [image_cid(requested.metadata), requested.cid]
    assert (await case.attempt(requested)).pinned == {requested.cid}


async def test_the_backup_has_them_when_nobody_listens_at_the_first(case: Pinning) -> None:
    requested = await case.wanted(level=4)
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        await case.pin(case.reaction(closed, f"{case.nodes.url}/backup"))
    assert await case.fetch(requested.cid) == requested.metadata.encode()
    assert (await case.attempt(requested)).metadata_stored


async def test_while_all_are_away_our_copy_serves_and_later_the_same_bytes_are_stored(
    case: Pinning,
) -> None:
    requested = await case.wanted(level=5)
    for path in (ADD, ADD_AT_BACKUP):
        await case.faulty(path, times=1, **AWAY)
    with pytest.raises(TryAgain):
        await case.pin()
    copies = dict(case.cache.kept)
    assert copies[cache_key(requested.cid)][0] == requested.metadata.encode()
    assert copies[cache_key(image_cid(requested.metadata))][0] == emblem(5)
    assert not (await case.attempt(requested)).metadata_stored
    assert await case.fetch(requested.cid) is None

    await case.pin()
    assert case.cache.kept == copies
    assert await case.fetch(requested.cid) == requested.metadata.encode()
    assert (await case.attempt(requested)).metadata_stored


async def test_a_run_that_broke_half_way_is_repeated_with_the_same_bytes(case: Pinning) -> None:
    requested = await case.wanted(level=6)
    alone = case.reaction(case.nodes.url)
    await case.faulty(ADD, times=1)  # the picture comes through
    await case.faulty(ADD, times=1, drop="after_effect")
    with pytest.raises(Failure):
        await case.pin(alone)
    await case.pin(alone)
    assert await case.pins("first") == [image_cid(requested.metadata), requested.cid] * 2


async def test_providers_that_all_lie_are_not_believed(case: Pinning) -> None:
    requested = await case.wanted(level=1)
    for path in (ADD, ADD_AT_BACKUP):
        await case.faulty(path, **LIE)
    with pytest.raises(WillNotWork, match="another CID"):
        await case.pin()
    assert not (await case.attempt(requested)).metadata_stored


async def test_nothing_leaves_before_our_own_copy_is_made(case: Pinning) -> None:
    requested = await case.wanted(level=1)
    case.cache.away = True
    with pytest.raises(TryAgain):
        await case.pin()
    assert await case.pins("first") == []
    assert not (await case.attempt(requested)).metadata_stored


async def test_a_picture_that_is_drawn_differently_today_comes_from_our_copy(
    case: Pinning,
) -> None:
    requested = await case.wanted(level=2, **painted_before(2, "an-older-one"))
    await case.cache.keep(cache_key(cid_of(OLD_PICTURE)), OLD_PICTURE, "image/svg+xml")
    await case.pin()
    assert await case.fetch(cid_of(OLD_PICTURE)) == OLD_PICTURE
    assert await case.pins("first") == [cid_of(OLD_PICTURE), requested.cid]


@pytest.mark.parametrize("copy", [None, b"not what it was"])
async def test_a_picture_that_nobody_has_is_not_replaced_by_another(
    case: Pinning, copy: bytes | None
) -> None:
    requested = await case.wanted(level=2, **painted_before(2, "an-older-one"))
    if copy:
        await case.cache.keep(cache_key(cid_of(OLD_PICTURE)), copy, "image/svg+xml")
    with pytest.raises(WillNotWork, match="neither drawn nor kept"):
        await case.pin()
    assert await case.pins("first") == []
    assert not (await case.attempt(requested)).metadata_stored


async def test_metadata_under_an_address_that_is_not_its_own_is_not_stored(case: Pinning) -> None:
    await case.wanted(level=2, cid=cid_of(b"another"))
    with pytest.raises(WillNotWork, match="metadata has the CID"):
        await case.pin()
    assert await case.pins("first") == []


async def test_all_attempts_are_stored_and_those_that_failed_not_at_all(case: Pinning) -> None:
    first, failed, last = [await case.wanted(level=1) for _ in range(3)]
    await case.failed(failed)
    for _ in range(2):
        await case.pin()
        attempts = [await case.attempt(each) for each in (first, failed, last)]
        assert [each.metadata_stored for each in attempts] == [True, False, True]
