"""A file has one CID at every provider, and one provider that takes it is enough."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from consumers.gateways.ipfs import CAT, Ipfs
from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.vault_ports import Sealed
from embedded.twins.ipfs import Ipfs as Node
from tests.twins.alone import Alone, alone

HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"


@pytest.fixture(scope="module")
async def nodes() -> AsyncIterator[list[Alone]]:
    async with alone(Node()) as first, alone(Node()) as second:
        yield [first, second]


@pytest.fixture
async def both(nodes: list[Alone]) -> list[Alone]:
    for node in nodes:
        await node.steer("reset", {})
    return nodes


@pytest.fixture
def closed() -> Iterator[str]:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unheard.getsockname()[1]}"


def gateway(*urls: str, client: httpx.AsyncClient, **options: Any) -> Ipfs:
    return Ipfs(urls=urls, client=client, **options)


def seal(ipfs: Ipfs, content: bytes = b"hello") -> Sealed:
    return ipfs.seal(content, "text/plain", reference="unit-1/image")


async def failing(ipfs: Ipfs, sealed: Sealed) -> Failure:
    with pytest.raises(Failure) as raised:
        await ipfs.post(sealed)
    return raised.value


async def answers(node: Alone, status: int, body: Any = None, **headers: str) -> None:
    response = {"status": status, "body": body, "headers": headers}
    await node.steer("script", {"response": response})


async def pinned(node: Alone, cid: str) -> int:
    items = (await node.client.get("/_twin/ledger")).json()["items"]
    return sum(item["cid"] == cid for item in items)


async def test_the_address_is_known_before_anything_is_sent(both: list[Alone]) -> None:
    node = both[0]
    sealed = seal(gateway(node.url, client=node.client))
    assert (sealed.item_id, sealed.uri) == (HELLO, f"ipfs://{HELLO}")
    assert (sealed.body, sealed.bytes, sealed.content_type) == (b"hello", 5, "text/plain")
    public = gateway(node.url, client=node.client, gateway_url="https://gateway.example/ipfs/")
    assert seal(public).uri == f"https://gateway.example/ipfs/{HELLO}"


@pytest.mark.parametrize("size", [0, 5, 262_145, 1_000_000])
async def test_what_was_posted_is_fetched_from_where_it_was_said_to_be(
    both: list[Alone], size: int
) -> None:
    node = both[0]
    ipfs = gateway(node.url, client=node.client, gateway_url=f"{node.url}/ipfs")
    sealed = seal(ipfs, b"\r\n-" * (size // 3) + b"\0" * (size % 3))
    assert await ipfs.post(sealed) == ""
    assert (await node.client.get(sealed.uri)).content == sealed.body
    assert await pinned(node, sealed.item_id) == 1


async def test_the_backup_gets_the_file_when_the_first_provider_fails(
    both: list[Alone], closed: str
) -> None:
    first, second = both
    faults = ("away", "error", "lost", "another CID", "only said", "another file")
    for number, fault in enumerate(faults):
        content = fault.encode()
        url = closed if fault == "away" else first.url
        ipfs = gateway(url, second.url, client=first.client)
        if fault == "error":
            await answers(first, 500, {"Message": "no space", "Code": 0, "Type": "error"})
        if fault == "lost":
            await first.steer("script", {"drop": "after_effect"})
        if fault == "another CID":
            await answers(first, 200, {"Name": "x", "Hash": HELLO, "Size": "5"})
        sealed = seal(ipfs, content)
        if fault == "only said":  # the right CID, and nothing is stored
            await answers(first, 200, {"Name": "x", "Hash": sealed.item_id, "Size": "9"})
        if fault == "another file":
            await first.steer("script", {"match": {"path": CAT}, "response": {"body": "another"}})
        await ipfs.post(sealed)
        assert await pinned(second, sealed.item_id) == 1, number


async def test_the_backup_is_not_asked_when_the_first_has_it(both: list[Alone]) -> None:
    first, second = both
    ipfs = gateway(first.url, second.url, client=first.client)
    sealed = seal(ipfs, b"first")
    await ipfs.post(sealed)
    assert (await pinned(first, sealed.item_id), await pinned(second, sealed.item_id)) == (1, 0)


@pytest.mark.parametrize(
    ("status", "failed", "kind"),
    [
        (400, WillNotWork, "invalid"),
        (403, WillNotWork, "invalid"),
        (402, WillNotWork, "quota"),
        (507, WillNotWork, "quota"),
        (429, TryAgain, "throttled"),
        (500, TryAgain, "transient"),
    ],
)
async def test_each_no_has_its_class(
    both: list[Alone], status: int, failed: type[Failure], kind: str
) -> None:
    node = both[0]
    ipfs = gateway(node.url, client=node.client)
    await answers(node, status, {"Message": "no"}, **{"retry-after": "3"})
    failure = await failing(ipfs, seal(ipfs))
    assert (type(failure), failure.error_class) == (failed, kind)
    assert getattr(failure, "after_s", 3) == 3


@pytest.mark.parametrize(
    "body", ["", "not JSON", json.dumps({"Name": "x", "Bytes": 5}), '{"Name":"x","Hash":7}']
)
async def test_an_answer_without_a_cid_leaves_it_unknown(both: list[Alone], body: str) -> None:
    node = both[0]
    ipfs = gateway(node.url, client=node.client)
    await answers(node, 200, body)
    failure = await failing(ipfs, seal(ipfs))
    assert isinstance(failure, OutcomeUnknown) and failure.reference == HELLO


async def test_the_last_of_several_lines_has_the_cid(both: list[Alone]) -> None:
    node = both[0]
    ipfs = gateway(node.url, client=node.client)
    lines = [{"Name": "x", "Bytes": 5}, {"Name": "x", "Hash": HELLO, "Size": "5"}]
    body = "\n".join(map(json.dumps, lines)) + "\n"
    await node.steer("script", {"effect": "perform", "response": {"body": body}})
    assert await ipfs.post(seal(ipfs)) == "", "stored, by a vault that gives no receipt"


async def test_of_all_failures_one_that_may_pass_is_told(both: list[Alone], closed: str) -> None:
    first, second = both
    ipfs = gateway(first.url, closed, second.url, client=first.client)
    await answers(first, 400)
    await answers(second, 402)
    assert isinstance(await failing(ipfs, seal(ipfs)), TryAgain)
    both_refuse = gateway(first.url, second.url, client=first.client)
    await answers(first, 400)
    await answers(second, 402)
    failure = await failing(both_refuse, seal(both_refuse))
    assert (type(failure), failure.error_class) == (WillNotWork, "invalid")
