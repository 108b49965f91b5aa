"""The Irys twin: what it takes, what it bills, what it serves, and that it forgets nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from solders.keypair import Keypair

from consumers.gateways import irys_receipt
from consumers.gateways.ans104 import DataItem, write_tags
from embedded.twins.irys import LAMPORTS_PER_BYTE, Irys
from tests.twins.alone import Alone, alone

KEY = Keypair.from_seed(b"\7" * 32)
ADDRESS = str(KEY.pubkey())
BINARY = {"content-type": "application/octet-stream"}


def item(data: bytes = b"content", **changes: Any) -> DataItem:
    told: dict[str, Any] = {"tag_bytes": write_tags([("Content-Type", "image/png")])}
    return DataItem(bytes(KEY.pubkey()), data, **told | changes).signed_by(KEY)


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Alone]:
    async with alone(Irys(), tmp_path_factory.mktemp("irys")) as twin:
        yield twin


@pytest.fixture
async def node(running: Alone) -> Alone:
    await running.steer("reset", {})
    return running


async def post(node: Alone, body: bytes, token: str = "solana") -> httpx.Response:
    return await node.client.post(f"/tx/{token}", content=body, headers=BINARY)


async def effects(node: Alone) -> list[dict[str, Any]]:
    return list((await node.client.get("/_twin/ledger")).json()["items"])


async def test_an_item_is_billed_once_and_its_receipt_is_signed_by_the_node(node: Alone) -> None:
    sent, before = item(b"once"), await effects(node)
    first = await post(node, sent.encode())
    assert first.status_code == 200 and irys_receipt.is_authentic(first.json())
    assert first.json()["id"] == sent.id
    assert first.json()["public"] == (await node.client.get("/public")).text
    again = await post(node, sent.encode())
    assert again.status_code == 201
    assert again.text == f"Transaction {irys_receipt.base58_id(sent.id)} already received"
    [billed] = (await effects(node))[len(before) :]
    assert billed["kind"] == "upload_billed" and billed["item_id"] == sent.id
    assert (billed["bytes"], billed["content_type"]) == (4, "image/png")
    assert (billed["address"], billed["lamports"]) == (ADDRESS, len(sent.encode()))


async def test_the_same_content_signed_with_another_anchor_is_billed_again(node: Alone) -> None:
    before = len(await effects(node))
    for anchor in (b"a" * 32, b"b" * 32):
        await post(node, item(b"twice", anchor=anchor).encode())
    assert len(await effects(node)) == before + 2


@pytest.mark.parametrize("path", ["/{0}", "/tx/{0}/data", "/{1}", "/tx/{1}/data"])
async def test_everybody_reads_an_item_by_either_spelling_of_its_id(node: Alone, path: str) -> None:
    sent = item(b"read")
    await post(node, sent.encode())
    spelled = path.format(sent.id, irys_receipt.base58_id(sent.id))
    answer = await node.client.get(spelled)
    assert (answer.status_code, answer.content) == (200, b"read")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_an_item_without_a_type_is_bytes_and_an_unknown_one_is_missing(node: Alone) -> None:
    bare = item(tag_bytes=b"")
    assert (await node.client.get(f"/{bare.id}")).status_code == 404
    await post(node, bare.encode())
    answer = await node.client.get(f"/{bare.id}")
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_what_is_not_a_signed_item_is_refused_and_costs_nothing(node: Alone) -> None:
    before, good = await effects(node), item(b"damaged").encode()
    forged = good[:-1] + bytes([good[-1] ^ 1])
    assert (await post(node, forged)).text == "Invalid signature"
    for body in (forged, good[:90], b"", b"\3" + good[1:]):
        assert (await post(node, body)).status_code == 400
    assert (await post(node, good, token="ethereum")).status_code == 400
    assert await effects(node) == before


async def test_an_account_pays_until_it_has_nothing_left(node: Alone) -> None:
    first, second = item(b"first of two").encode(), item(b"second of two").encode()
    await node.steer("funds", {"lamports": len(first) + 5})
    assert (await post(node, first)).status_code == 200
    balance = await node.client.get(f"/account/balance/solana?address={ADDRESS}")
    assert balance.json() == {"balance": "5"}
    assert (await post(node, second)).status_code == 402
    assert (await post(node, first)).status_code == 201  # what is there costs nothing
    await node.steer("funds", {"lamports": None})
    assert (await post(node, second)).status_code == 200


async def test_prices_balances_and_the_node_can_be_asked(node: Alone) -> None:
    assert (await node.client.get("/price/solana/1000")).text == str(1000 * LAMPORTS_PER_BYTE)
    balance = await node.client.get(f"/account/balance/solana?address={ADDRESS}")
    assert int(balance.json()["balance"]) > 10**9
    assert "version" in (await node.client.get("/info")).json()
    for path in ("/price/doge/10", "/price/solana/x", "/tx", "/"):
        assert (await node.client.get(path)).status_code == 404
    refused = await node.client.post("/_twin/funds", json={"lamports": -1})
    assert refused.status_code == 422


async def test_a_script_without_effect_stores_nothing(node: Alone) -> None:
    sent = item(b"not stored")
    await node.steer("funds", {"lamports": 1000})
    await node.steer("script", {"effect": "none"})
    assert (await post(node, sent.encode())).json()["id"] == sent.id
    assert (await node.client.get(f"/{sent.id}")).status_code == 404
    assert (await node.client.get("/account/balance/solana")).json() == {"balance": "1000"}
    assert (await post(node, sent.encode())).status_code == 200


async def test_items_bills_and_key_outlive_the_process(tmp_path: Path) -> None:
    sent = item()
    async with alone(Irys(), tmp_path) as node:
        await post(node, sent.encode())
        public, billed = (await node.client.get("/public")).text, await effects(node)
    async with alone(Irys(), tmp_path) as node:
        assert (await node.client.get(f"/{sent.id}")).content == b"content"
        assert (await post(node, sent.encode())).status_code == 201
        assert (await node.client.get("/public")).text == public
        assert await effects(node) == billed
