"""Irys, a node that takes data items and the gateway that serves them; spec `providers.md` §7.

Read in a source (Irys' own JavaScript libraries, its documentation, a receipt of 2026 that somebody
published): `POST /tx/{token}` with the signed item as `application/octet-stream`, the receipt's
fields and what is signed in it, the paths below, that `/public` is the modulus of the node's RSA
key, that 201 comes with a sentence that names the item in base58 and says it was received already,
and that a node finds an item by its id in base64url and in base58 alike. Receipts of 2026 have it
in base58; this twin's have it in base64url, as the documentation does.

From memory or made up, therefore no proof about the vendor: the wording of the sentences, the price
(a lamport a byte; the vendor takes files below 100 KiB for free), the form of `/info`, the answer
to a bad item, the headers of the gateway, that it has a new item at once and stands at the node's
address, and the length of the key.

Only `solana` is known, and items signed with ed25519 (type 2). `POST /_twin/funds {lamports}` says
what every account has left, which uploads take from; null, and `/_twin/reset`, are plenty again.

Effect kind: `upload_billed` {item_id, bytes, content_type, address, lamports}, once for an item;
`bytes` are those of its data. What is stored is never forgotten.
"""

from __future__ import annotations

import re
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import BaseModel, ConfigDict, Field
from solders.hash import Hash, ParseHashError
from solders.pubkey import Pubkey

from consumers.gateways import irys_receipt
from consumers.gateways.ans104 import DataItem, MalformedItem, base64url, decode
from embedded.twins.journal import Journal
from embedded.twins.script import parse
from embedded.twins.shelf import Shelf
from embedded.twins.wire import Answer, Call

TOKEN = "solana"
PLENTY = 100 * 10**9
LAMPORTS_PER_BYTE = 1
PADDING = PSS(mgf=MGF1(SHA256()), salt_length=SHA256.digest_size)
KEY_BITS, KEY_FILE = 2048, "node.pem"
SIZE = re.compile(r"\d{1,15}")
ANYBODY = {"access-control-allow-origin": "*"}


class Funds(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    lamports: int | None = Field(ge=0)


class Irys:
    """A node and its gateway under one address."""

    name = "irys"
    base_path = ""

    def __init__(self) -> None:
        self._shelf = Shelf()
        self._key: rsa.RSAPrivateKey | None = None
        self.forget()

    def forget(self) -> None:
        self._funds: int | None = None

    async def control(self, call: Call) -> Answer | None:
        if (call.method, call.path) != ("POST", "/_twin/funds"):
            return None
        self._funds = parse(Funds, call.body).lamports
        return Answer.json(200, {"lamports": self._funds})

    async def answer(self, call: Call) -> Answer:
        match call.method, call.path.strip("/").split("/"):
            case "POST", ["tx", token]:
                return self._take(call, token)
            case "GET", ["price", token, size] if token == TOKEN and SIZE.fullmatch(size):
                return _text(200, str(int(size) * LAMPORTS_PER_BYTE))
            case "GET", ["account", "balance", token] if token == TOKEN:
                left = PLENTY if self._funds is None else self._funds
                return Answer.json(200, {"balance": str(left)})
            case "GET", ["info"]:
                return Answer.json(200, {"version": "1.0.0", "addresses": {}, "gateway": "twin"})
            case "GET", ["public"]:
                return _text(200, self._public(call.journal))
            case "GET", ["tx", item_id, "data"] | [item_id]:
                return self._serve(call.journal, item_id)
        return _text(404, "Not found")

    def _take(self, call: Call, token: str) -> Answer:
        if token != TOKEN:
            return _text(400, f"Unknown token {token}")
        try:
            item = decode(call.body)
        except MalformedItem as malformed:
            return _text(400, f"Invalid data item: {malformed}")
        if not item.is_authentic:
            return _text(400, "Invalid signature")
        if _effect(call.journal, item.id):
            return _text(201, f"Transaction {irys_receipt.base58_id(item.id)} already received")
        price = len(call.body) * LAMPORTS_PER_BYTE
        if self._funds is not None and self._funds < price:
            return _text(402, "Not enough balance for transaction")
        if call.performs:
            self._shelf.keep(call.journal, item.id, call.body)
            self._funds = None if self._funds is None else self._funds - price
            self._bill(call, item, price)
        return Answer.json(200, self._receipt(call.journal, item.id))

    def _bill(self, call: Call, item: DataItem, price: int) -> None:
        call.record(
            "upload_billed",
            item_id=item.id,
            bytes=len(item.data),
            content_type=_content_type(item),
            address=str(Pubkey.from_bytes(item.owner)),
            lamports=price,
        )

    def _serve(self, journal: Journal, item_id: str) -> Answer:
        effect = _effect(journal, _as_base64url(item_id)) or _effect(journal, item_id)
        raw = self._shelf.find(journal, effect["item_id"]) if effect else None
        if raw is None:
            return _text(404, "Not found")
        item = decode(raw)
        return Answer(200, item.data, {"content-type": _content_type(item), **ANYBODY})

    def _receipt(self, journal: Journal, item_id: str) -> dict[str, Any]:
        receipt = {
            "id": item_id,
            "timestamp": int(journal.now().timestamp() * 1000),
            "version": "1.0.0",
            "deadlineHeight": 0,
            "public": self._public(journal),
            "validatorSignatures": [],
        }
        words = irys_receipt.signed_words(receipt)
        signature = self._node_key(journal).sign(words, PADDING, SHA256())
        return receipt | {"signature": base64url(signature)}

    def _public(self, journal: Journal) -> str:
        modulus = self._node_key(journal).public_key().public_numbers().n
        return base64url(modulus.to_bytes(KEY_BITS // 8))

    def _node_key(self, journal: Journal) -> rsa.RSAPrivateKey:
        """Made when it is first needed, then the same for ever."""
        if self._key is None:
            known = self._shelf.find(journal, KEY_FILE)
            if known is None:
                self._key = rsa.generate_private_key(irys_receipt.EXPONENT, KEY_BITS)
                self._shelf.keep(journal, KEY_FILE, _pem(self._key))
            else:
                loaded = serialization.load_pem_private_key(known, None)
                assert isinstance(loaded, rsa.RSAPrivateKey)
                self._key = loaded
        return self._key


def _effect(journal: Journal, item_id: str) -> dict[str, Any] | None:
    return next((item for item in journal.items if item.get("item_id") == item_id), None)


def _content_type(item: DataItem) -> str:
    return next(
        (value for name, value in item.tags if name.lower() == "content-type"),
        "application/octet-stream",
    )


def _as_base64url(item_id: str) -> str:
    """Of an id in base58; empty for any other text."""
    try:
        return base64url(bytes(Hash.from_string(item_id)))
    except ParseHashError:
        return ""


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _text(status: int, words: str) -> Answer:
    return Answer(status, words.encode(), {"content-type": "text/plain; charset=utf-8", **ANYBODY})
