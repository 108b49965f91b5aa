"""The IPFS twin: kubo's `add`, real CIDs, and a gateway that serves what was added."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.twins.ipfs import Ipfs
from tests.twins.alone import Alone, alone

ADD = "/api/v0/add?cid-version=1&pin=true&raw-leaves=true"
HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
PNG = b"\x89PNG\r\n\x1a\n\r\n--\r\n\r\n"


@pytest.fixture(scope="module")
async def node() -> AsyncIterator[Alone]:
    async with alone(Ipfs()) as twin:
        yield twin


async def add(node: Alone, *contents: bytes, path: str = ADD) -> httpx.Response:
    files = [("file", (f"{at}.bin", content)) for at, content in enumerate(contents)]
    return await node.client.post(path, files=files)


async def pinned(node: Alone) -> list[dict[str, Any]]:
    return list((await node.client.get("/_twin/ledger")).json()["items"])


async def test_a_file_is_pinned_under_its_real_cid_and_served(node: Alone) -> None:
    answer = await add(node, b"hello")
    assert json.loads(answer.text) == {"Name": "0.bin", "Hash": HELLO, "Size": "5"}
    effect = (await pinned(node))[-1]
    assert (effect["kind"], effect["cid"], effect["bytes"]) == ("file_pinned", HELLO, 5)
    served = await node.client.get(f"/ipfs/{HELLO}")
    assert (served.status_code, served.content) == (200, b"hello")
    assert served.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b'{"name": "PFP"}', "application/json"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        (b"\0\1\2", "application/octet-stream"),
    ],
)
async def test_bytes_come_back_as_they_were_with_a_type_by_their_content(
    node: Alone, content: bytes, kind: str
) -> None:
    cid = json.loads((await add(node, content)).text)["Hash"]
    served = await node.client.get(f"/ipfs/{cid}")
    assert (served.content, served.headers["content-type"]) == (content, kind)


async def test_the_second_node_has_files_of_its_own_and_the_gateway_finds_all(node: Alone) -> None:
    added = {where: await add(node, where.encode(), path=where + ADD) for where in ("", "/backup")}
    first, second = (json.loads(answer.text)["Hash"] for answer in added.values())
    assert [effect["node"] for effect in await pinned(node)][-2:] == ["first", "backup"]
    for path, status in (
        (f"/ipfs/{first}", 200),
        (f"/ipfs/{second}", 200),
        (f"/backup/ipfs/{first}", 404),
        (f"/backup/ipfs/{second}", 200),
    ):
        assert (await node.client.get(path)).status_code == status, path


async def test_a_node_gives_back_what_it_has_itself(node: Alone) -> None:
    cid = json.loads((await add(node, b"\0mine")).text)["Hash"]
    given = await node.client.post(f"/api/v0/cat?arg={cid}&offline=true")
    assert (given.status_code, given.content) == (200, b"\0mine")
    for path, status in (
        (f"/backup/api/v0/cat?arg={cid}", 500),
        ("/api/v0/cat", 400),
        ("/api/v0/cat?arg=../ipfs.jsonl", 400),
    ):
        answer = await node.client.post(path)
        assert (answer.status_code, answer.json()["Type"]) == (status, "error"), path


async def test_a_script_may_take_down_the_first_node_only(node: Alone) -> None:
    await node.steer("script", {"match": {"path": "/api/*"}, "response": {"status": 503}})
    assert (await add(node, b"x", path="/backup" + ADD)).status_code == 200
    assert (await add(node, b"x")).status_code == 503
    assert (await add(node, b"x")).status_code == 200


async def test_several_files_are_a_line_each(node: Alone) -> None:
    lines = (await add(node, b"one", b"two")).text.splitlines()
    assert [json.loads(line)["Name"] for line in lines] == ["0.bin", "1.bin"]


async def test_only_hashing_stores_nothing_and_not_pinning_bills_nothing(node: Alone) -> None:
    before = await pinned(node)
    for content, flag, status in ((b"a", "only-hash=true", 404), (b"b", "pin=false", 200)):
        answer = await add(node, content, path=f"/api/v0/add?cid-version=1&{flag}")
        cid = json.loads(answer.text)["Hash"]
        assert (await node.client.get(f"/ipfs/{cid}")).status_code == status
    assert await pinned(node) == before


async def test_what_kubo_would_refuse_or_this_twin_cannot_make_is_an_error(node: Alone) -> None:
    assert (await node.client.get(ADD)).status_code == 405
    assert (await node.client.post("/api/v0/pin/ls")).status_code == 404
    assert (await node.client.post(ADD, content=b"no multipart")).status_code == 400
    for path in ("/api/v0/add", ADD + "&chunker=size-1", ADD.replace("leaves=true", "leaves=no")):
        answer = await add(node, b"x", path=path)
        assert (answer.status_code, answer.json()["Type"]) == (400, "error")
    assert (await node.client.get(f"/ipfs/{'b' * 59}")).status_code == 404
    assert (await node.client.get("/ipfs/..%2fipfs.jsonl")).status_code == 404


async def test_files_and_pins_outlive_the_process(tmp_path: Path) -> None:
    async with alone(Ipfs(), tmp_path) as node:
        await add(node, b"hello")
        before = await pinned(node)
    async with alone(Ipfs(), tmp_path) as node:
        assert (await node.client.get(f"/ipfs/{HELLO}")).content == b"hello"
        assert await pinned(node) == before
