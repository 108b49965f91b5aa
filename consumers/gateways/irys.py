"""Irys, which puts signed data items on Arweave; spec `providers.md` §7.

An item's id follows from its signature, the signature from content, type and reference: whoever
seals the same again has the same bytes, and Irys takes those once however often they come. A
gateway that does not have an item yet is no failure; the receipt is the proof.
"""

from __future__ import annotations

import hashlib

import httpx
from solders.keypair import Keypair

from consumers.gateways import irys_receipt
from consumers.gateways.ans104 import DataItem, write_tags
from consumers.gateways.ports import OutcomeUnknown, WillNotWork
from consumers.gateways.uploads import READ_S, not_stored, upload_once
from consumers.gateways.vault_ports import Sealed, VaultKind
from consumers.gateways.web import Reply, json_object

VENDOR = "irys"
TOKEN = "solana"
TAKEN_BEFORE = 201


class Irys:
    """The `Vault` port. `url` is a node's, `gateway_url` where anybody reads; `key` signs the items
    and is the account at the node that pays for them."""

    kind: VaultKind = "irys"

    def __init__(
        self,
        *,
        url: str,
        gateway_url: str,
        key: Keypair,
        client: httpx.AsyncClient,
        read_timeout_s: float = READ_S,
    ) -> None:
        self._url = f"{url.rstrip('/')}/tx/{TOKEN}"
        self._gateway_url = gateway_url.rstrip("/")
        self._key = key
        self._client = client
        self._read_timeout_s = read_timeout_s

    def seal(self, content: bytes, content_type: str, *, reference: str) -> Sealed:
        item = DataItem(
            owner=bytes(self._key.pubkey()),
            data=content,
            tag_bytes=write_tags([("Content-Type", content_type)]),
            anchor=anchor_of(reference),
        ).signed_by(self._key)
        return Sealed(
            item_id=item.id,
            uri=f"{self._gateway_url}/{item.id}",
            body=item.encode(),
            content_type=content_type,
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )

    async def post(self, sealed: Sealed) -> str:
        reply = await upload_once(
            self._client,
            self._url,
            vendor=VENDOR,
            reference=sealed.item_id,
            read_timeout_s=self._read_timeout_s,
            content=sealed.body,
            headers={"content-type": "application/octet-stream"},
        )
        if not 200 <= reply.status < 300:
            raise not_stored(VENDOR, reply)
        return _receipt(reply, sealed.item_id)


def anchor_of(reference: str) -> bytes:
    """32 bytes that are text too, which is what Irys' own library puts there."""
    return hashlib.sha256(reference.encode()).hexdigest()[:32].encode()


def _receipt(reply: Reply, item_id: str) -> str:
    receipt = json_object(reply)
    if receipt is None:
        if reply.status == TAKEN_BEFORE:  # a sentence instead of a receipt
            return ""
        reason = f"{VENDOR}: HTTP {reply.status} without a receipt"
        raise OutcomeUnknown(reason, reference=item_id)
    if not irys_receipt.names(receipt, item_id):
        raise WillNotWork(f"{VENDOR}: the receipt is for another item")
    if "signature" not in receipt:
        return ""
    if not irys_receipt.is_authentic(receipt):
        raise WillNotWork(f"{VENDOR}: the receipt is not signed by the key in it")
    return irys_receipt.kept(receipt)
