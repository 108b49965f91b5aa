"""Items go to Irys once, whatever becomes of the answer: `providers.md` §7."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from solders.keypair import Keypair

from consumers.gateways import irys_receipt
from consumers.gateways.ans104 import base64url, decode
from consumers.gateways.irys import Irys
from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.vault_ports import Sealed
from embedded.twins.irys import PADDING
from embedded.twins.irys import Irys as Node
from tests.twins.alone import Alone, alone

KEY = Keypair.from_seed(b"\7" * 32)
CONTENT = b'{"name": "PFP #1"}'
VECTORS = Path(__file__).parents[1] / "vectors"
REAL = json.loads((VECTORS / "irys_receipt.json").read_text())["receipt"]


@dataclass
class Side:
    twin: Alone
    irys: Irys

    def seal(self, reference: str = "unit-1/metadata", content: bytes = CONTENT) -> Sealed:
        return self.irys.seal(content, "application/json", reference=reference)

    async def answers(self, status: int, body: Any = None, **headers: str) -> None:
        response = {"status": status, "body": body, "headers": headers}
        await self.twin.steer("script", {"response": response})

    async def billed(self, sealed: Sealed) -> list[dict[str, Any]]:
        items = (await self.twin.client.get("/_twin/ledger")).json()["items"]
        return [item for item in items if item["item_id"] == sealed.item_id]

    async def failing(self, sealed: Sealed) -> Failure:
        with pytest.raises(Failure) as raised:
            await self.irys.post(sealed)
        return raised.value


def gateway(url: str, client: httpx.AsyncClient, read_timeout_s: float = 20) -> Irys:
    options = {"client": client, "read_timeout_s": read_timeout_s}
    return Irys(url=url, gateway_url=f"{url}/", key=KEY, **options)


@pytest.fixture(scope="module")
async def node() -> AsyncIterator[Alone]:
    async with alone(Node()) as twin:
        yield twin


@pytest.fixture
async def side(node: Alone) -> Side:
    await node.steer("reset", {})
    return Side(node, gateway(node.url, node.client))


def test_a_sealed_file_is_a_signed_item_that_says_where_it_will_be(side: Side) -> None:
    sealed = side.seal()
    item = decode(sealed.body)
    assert item.is_authentic and item.owner == bytes(KEY.pubkey()) and item.data == CONTENT
    assert item.tags == [("Content-Type", "application/json")]
    assert sealed.item_id == item.id and sealed.uri == f"{side.twin.url}/{item.id}"
    assert (sealed.content_type, sealed.bytes) == ("application/json", len(CONTENT))
    assert len(item.anchor) == 32 and item.anchor.isalnum()


def test_the_same_file_and_reference_are_the_same_bytes_and_others_are_not(side: Side) -> None:
    assert side.seal() == side.seal()
    other, changed = side.seal("unit-2/metadata"), side.seal(content=b"{}")
    assert len({side.seal().item_id, other.item_id, changed.item_id}) == 3
    assert other.sha256 == side.seal().sha256 != changed.sha256


async def test_what_was_posted_can_be_fetched_and_its_receipt_is_a_proof(side: Side) -> None:
    sealed = side.seal()
    receipt = json.loads(await side.irys.post(sealed))
    assert irys_receipt.names(receipt, sealed.item_id) and irys_receipt.is_authentic(receipt)
    assert receipt["public"] == (await side.twin.client.get("/public")).text
    fetched = await side.twin.client.get(sealed.uri)
    assert (fetched.content, fetched.headers["content-type"]) == (CONTENT, "application/json")


async def test_posting_again_is_no_second_upload(side: Side) -> None:
    sealed = side.seal("unit-3")
    assert await side.irys.post(sealed)
    assert await side.irys.post(side.seal("unit-3")) == ""
    assert len(await side.billed(sealed)) == 1


@pytest.mark.parametrize(
    ("rule", "stored"),
    [
        ({"drop": "after_effect"}, 1),
        ({"drop": "before"}, 0),
        ({"truncate_body_at": 20}, 1),
        ({"effect": "perform", "response": {"status": 200, "body": "<html>"}}, 1),
        ({"response": {"status": 204}}, 0),
    ],
    ids=lambda rule: str(rule)[:40],
)
async def test_a_lost_answer_leaves_it_unknown_and_the_same_bytes_may_be_posted_again(
    side: Side, rule: dict[str, Any], stored: int
) -> None:
    sealed = side.seal(f"lost: {rule}")
    await side.twin.steer("script", rule)
    failure = await side.failing(sealed)
    assert isinstance(failure, OutcomeUnknown) and failure.reference == sealed.item_id
    assert len(await side.billed(sealed)) == stored
    await side.irys.post(sealed)
    assert len(await side.billed(sealed)) == 1


async def test_silence_leaves_it_unknown(side: Side) -> None:
    await side.twin.steer("script", {"delay_ms": 300})
    hasty = gateway(side.twin.url, side.twin.client, read_timeout_s=0.05)
    with pytest.raises(OutcomeUnknown):
        await hasty.post(side.seal("silence"))


@pytest.mark.parametrize(
    ("status", "failed", "kind", "after_s"),
    [
        (400, WillNotWork, "invalid", None),
        (402, WillNotWork, "quota", None),
        (404, WillNotWork, "invalid", None),
        (413, WillNotWork, "invalid", None),
        (307, WillNotWork, "invalid", None),
        (429, TryAgain, "throttled", 7),
        (500, TryAgain, "transient", 7),
        (503, TryAgain, "transient", 7),
    ],
)
async def test_each_no_has_its_class(
    side: Side, status: int, failed: type[Failure], kind: str, after_s: int | None
) -> None:
    sealed = side.seal("refused")
    await side.answers(status, "because", **{"retry-after": "7"})
    failure = await side.failing(sealed)
    assert (type(failure), failure.error_class) == (failed, kind)
    assert failure.reason == f"irys: HTTP {status}: because"
    assert getattr(failure, "after_s", None) == after_s
    assert await side.billed(sealed) == []


async def test_an_account_without_funds_is_a_quota(side: Side) -> None:
    await side.twin.steer("funds", {"lamports": 10})
    failure = await side.failing(side.seal("no funds"))
    assert isinstance(failure, WillNotWork) and failure.error_class == "quota"


async def test_a_node_that_is_not_there_took_nothing(side: Side) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        away = gateway(f"http://127.0.0.1:{unheard.getsockname()[1]}", side.twin.client)
        with pytest.raises(TryAgain):
            await away.post(side.seal())


@pytest.fixture(scope="module")
def node_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(irys_receipt.EXPONENT, 2048)


def receipt_of(item_id: str, key: rsa.RSAPrivateKey, **changes: Any) -> dict[str, Any]:
    modulus = key.public_key().public_numbers().n.to_bytes(256)
    told = {"id": item_id, "version": "1.0.0", "deadlineHeight": 7, "timestamp": 1}
    signature = key.sign(irys_receipt.signed_words(told), PADDING, SHA256())
    return told | {"public": base64url(modulus), "signature": base64url(signature)} | changes


async def test_a_receipt_may_spell_the_id_in_base58(
    side: Side, node_key: rsa.RSAPrivateKey
) -> None:
    sealed = side.seal()
    for spelled in (sealed.item_id, irys_receipt.base58_id(sealed.item_id)):
        receipt = receipt_of(spelled, node_key)
        await side.answers(200, receipt | {"validatorSignatures": []})
        assert json.loads(await side.irys.post(sealed)) == receipt


async def test_a_receipt_that_is_not_for_this_item_or_not_signed_so_is_not_believed(
    side: Side, node_key: rsa.RSAPrivateKey
) -> None:
    sealed, other = side.seal(), side.seal("other")
    good = receipt_of(sealed.item_id, node_key)
    for receipt in (
        receipt_of(other.item_id, node_key),
        {"id": None},
        good | {"timestamp": 2},
        good | {"signature": base64.b64encode(b"x" * 256).decode()},
        good | {"public": ""},
        good | {"signature": 7},
    ):
        await side.answers(200, receipt)
        failure = await side.failing(sealed)
        assert isinstance(failure, WillNotWork) and "receipt" in failure.reason


async def test_a_node_that_gives_no_receipt_has_it_all_the_same(side: Side) -> None:
    sealed = side.seal()
    await side.answers(200, {"id": sealed.item_id})
    assert await side.irys.post(sealed) == ""


def test_a_receipt_of_the_real_irys_is_authentic() -> None:
    assert irys_receipt.is_authentic(REAL)
    for name, value in [("timestamp", 1), ("id", REAL["id"][::-1]), ("deadlineHeight", 1)]:
        assert not irys_receipt.is_authentic(REAL | {name: value})
