"""IPFS by the RPC API of kubo, at one provider or at several; spec `providers.md` §7.

The CID is computed here and asked for with every parameter it depends on, so that a file has the
same one at every provider. None is believed: the file is read back from what the provider itself
has, which is proof where the CID in its answer would only be its word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import structlog

from consumers.gateways.cid import CHUNKER, cid_of
from consumers.gateways.ports import Failure, OutcomeUnknown, WillNotWork
from consumers.gateways.uploads import READ_S, not_stored, upload_once
from consumers.gateways.vault_ports import Sealed, VaultKind
from consumers.gateways.web import Reply

ADD, CAT = "/api/v0/add", "/api/v0/cat"
WANTED = {"cid-version": "1", "raw-leaves": "true", "chunker": CHUNKER, "pin": "true"}
ITS_OWN = {"offline": "true"}
"""Kubo's word for: not from the network."""

log = structlog.get_logger()


class Ipfs:
    """The `Vault` port. `urls` are asked one after the other until one has the file. Without a
    `gateway_url` (what a CID is put behind) addresses are `ipfs://CID`."""

    kind: VaultKind = "ipfs"

    def __init__(
        self,
        *,
        urls: Sequence[str],
        client: httpx.AsyncClient,
        gateway_url: str | None = None,
        read_timeout_s: float = READ_S,
    ) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._client = client
        self._base = f"{gateway_url.rstrip('/')}/" if gateway_url else "ipfs://"
        self._read_timeout_s = read_timeout_s

    def seal(self, content: bytes, content_type: str, *, reference: str) -> Sealed:
        """The same content has one CID whatever the `reference`."""
        cid = cid_of(content)
        return Sealed(
            item_id=cid,
            uri=self._base + cid,
            body=content,
            content_type=content_type,
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )

    async def post(self, sealed: Sealed) -> str:
        failures: list[Failure] = []
        for url in self._urls:
            try:
                await self._add(url, sealed)
            except Failure as failure:
                log.warning("ipfs_provider_failed", cid=sealed.item_id, reason=failure.reason)
                failures.append(failure)
            else:
                return ""
        # One provider that may take it later is enough to come back.
        raise next((one for one in failures if not isinstance(one, WillNotWork)), failures[0])

    async def _add(self, url: str, sealed: Sealed) -> None:
        vendor = f"ipfs at {urlsplit(url).hostname}"
        cid = sealed.item_id
        reply = await upload_once(
            self._client,
            url + ADD,
            vendor=vendor,
            reference=cid,
            read_timeout_s=self._read_timeout_s,
            params=WANTED,
            files={"file": (cid, sealed.body, sealed.content_type)},
        )
        if reply.status != 200:
            raise not_stored(vendor, reply)
        told = _hash_in(reply)
        if told is None:
            raise OutcomeUnknown(f"{vendor}: no CID in the answer", reference=cid)
        if told != cid:
            raise WillNotWork(f"{vendor}: the file got another CID, {told[:100]}")
        await self._read_back(url, sealed, vendor)

    async def _read_back(self, url: str, sealed: Sealed, vendor: str) -> None:
        reply = await upload_once(
            self._client,
            url + CAT,
            vendor=vendor,
            reference=sealed.item_id,
            read_timeout_s=self._read_timeout_s,
            params={"arg": sealed.item_id, **ITS_OWN},
        )
        if reply.status != 200:
            raise not_stored(vendor, reply)
        if hashlib.sha256(reply.body).hexdigest() != sealed.sha256:
            raise WillNotWork(f"{vendor}: {sealed.item_id} is another file there")


def _hash_in(reply: Reply) -> str | None:
    """The CID in the last line that has one: an answer is a line of JSON for each thing added."""
    told = None
    for line in reply.body.splitlines():
        try:
            said: Any = orjson.loads(line)
        except ValueError:
            return None
        if isinstance(said, dict) and isinstance(said.get("Hash"), str):
            told = said["Hash"]
    return told
