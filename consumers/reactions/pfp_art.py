"""Makes the picture and the metadata of a unit and puts both where they stay for ever.

The address of a file follows from its bytes and is recorded before it leaves. Sealed bytes are kept
in our own cache, so that what is posted again is the same, even after the painter has changed. This
goes on while the chain confirms the mints of other units, which are followed by `pfp_mints`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from commands.batch_mints import FileIsStored, RequestMint, SealFile
from consumers.gateways.ports import Failure, WillNotWork
from consumers.gateways.vault_ports import Cache, Sealed, Vault
from consumers.pfp.portrait import generate, metadata
from consumers.reactions.pfp_units import Units
from consumers.reactions.promise import Promise
from domain.batch import Batch
from domain.batch_events import FilePart
from domain.pfp_unit import Unit, token_name

log = structlog.get_logger()

PNG, JSON = "image/png", "application/json"
PARTS: tuple[FilePart, ...] = ("image", "metadata")


class PfpArt:
    """`vaults` by name; new files go to `vault`."""

    def __init__(self, units: Units, vaults: Mapping[str, Vault], vault: str, cache: Cache) -> None:
        self._units, self._vaults, self._vault, self._cache = units, vaults, vault, cache

    async def attend(self, promise: Promise) -> None:
        """Opens the next unit where the owner wants that without asking, and stores the files of
        those that are open."""
        batch = await self._units.batch(promise.order_id)
        if batch.auto_mint and batch.paid and batch.has_room:
            further = RequestMint(batch_id=batch.batch_id, background=True)
            for event in (await self._units.do(further, promise)).events:
                batch = batch.evolve(event)
        wanted = [unit for unit in batch.in_work if not unit.art_stored]
        await self._units.each(wanted, lambda unit: self._make(batch, unit, promise))

    async def _make(self, batch: Batch, unit: Unit, promise: Promise) -> None:
        try:
            for part in PARTS:
                if part not in unit.stored:
                    unit = await self._store(batch.batch_id, unit, part, promise)
        except Failure as failure:
            await self._units.fail(batch, unit, failure, promise)

    async def _store(self, batch_id: str, unit: Unit, part: FilePart, promise: Promise) -> Unit:
        """The unit with its file where it stays."""
        sealed, unit = await self._sealed(batch_id, unit, part, promise)
        receipt = await self._at(unit.sealed[part].vault).post(sealed)
        ids = {"batch_id": batch_id, "index": unit.index, "part": part}
        for event in (await self._units.do(FileIsStored(**ids, receipt=receipt), promise)).events:
            unit = unit.evolve(event)
        return unit

    async def _sealed(
        self, batch_id: str, unit: Unit, part: FilePart, promise: Promise
    ) -> tuple[Sealed, Unit]:
        """The bytes to post, their address recorded."""
        known = unit.sealed.get(part)
        name = known.vault if known else self._vault
        content_type = PNG if part == "image" else JSON
        key = f"pfp/{name}/{unit.seed}/{part}"
        if known and (body := await self._cache.find(key)):
            sealed = Sealed(known.item_id, known.uri, body, content_type, known.sha256, known.bytes)
            return sealed, unit
        reference = f"{unit.seed}/{part}"
        sealed = self._at(name).seal(await content(unit, part), content_type, reference=reference)
        if known and known.item_id != sealed.item_id:
            log.warning("sealed_anew", batch=batch_id, index=unit.index, part=part)
        await self._cache.keep(key, sealed.body, content_type)
        command = SealFile(
            batch_id=batch_id,
            index=unit.index,
            part=part,
            vault=name,
            item_id=sealed.item_id,
            uri=sealed.uri,
            sha256=sealed.sha256,
            bytes=sealed.bytes,
        )
        for event in (await self._units.do(command, promise)).events:
            unit = unit.evolve(event)
        return sealed, unit

    def _at(self, name: str) -> Vault:
        if name not in self._vaults:
            raise WillNotWork(f"the vault {name} is not set up here any more")
        return self._vaults[name]


async def content(unit: Unit, part: FilePart) -> bytes:
    seed = bytes.fromhex(unit.seed)
    if part == "image":
        return (await asyncio.to_thread(generate, seed)).png
    return metadata(seed, name=token_name(unit.seed), image_uri=unit.uri("image"))
