"""Makes the picture and the metadata of a unit and puts both where they stay for ever.

The address of a file follows from its bytes and is recorded before it leaves. Sealed bytes are kept
in our own cache, so that what is posted again is the same, even after the painter has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from commands.batch_mints import FileIsStored, SealFile
from consumers.gateways.ports import WillNotWork
from consumers.gateways.vault_ports import Cache, Sealed, Vault
from consumers.pfp.portrait import generate, metadata
from consumers.reactions.promise import Desk
from domain.batch_events import FilePart
from domain.pfp_unit import Unit, token_name

PNG, JSON = "image/png", "application/json"
PARTS: tuple[FilePart, ...] = ("image", "metadata")


class Art:
    """`vaults` by name; new files go to `vault`."""

    def __init__(self, desk: Desk, vaults: Mapping[str, Vault], vault: str, cache: Cache) -> None:
        self._desk, self._vaults, self._vault, self._cache = desk, vaults, vault, cache

    async def store(self, batch_id: str, unit: Unit, *, cause: str) -> None:
        """Image, then metadata, each from where it stands. Raises a Failure."""
        for part in PARTS:
            if part in unit.stored:
                continue
            sealed, unit = await self._sealed(batch_id, unit, part, cause)
            receipt = await self._at(unit.sealed[part].vault).post(sealed)
            ids = {"batch_id": batch_id, "index": unit.index, "part": part}
            stored = FileIsStored(**ids, receipt=receipt)
            for event in (await self._desk.do(stored, cause=cause)).events:
                unit = unit.evolve(event)

    async def _sealed(
        self, batch_id: str, unit: Unit, part: FilePart, cause: str
    ) -> tuple[Sealed, Unit]:
        """The bytes to post, their address recorded."""
        known = unit.sealed.get(part)
        name = known.vault if known else self._vault
        content_type = PNG if part == "image" else JSON
        key = f"pfp/{name}/{unit.seed}/{part}"
        if known and (body := await self._cache.find(key)):
            sealed = Sealed(known.item_id, known.uri, body, content_type, known.sha256, known.bytes)
            return sealed, unit
        content = await asyncio.to_thread(self._content, unit, part)
        reference = f"{unit.seed}/{part}"
        sealed = self._at(name).seal(content, content_type, reference=reference)
        if known and known.item_id != sealed.item_id:
            raise WillNotWork(f"{part} of {batch_id}/{unit.index} is not what was sealed before")
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
        for event in (await self._desk.do(command, cause=cause)).events:
            unit = unit.evolve(event)
        return sealed, unit

    def _content(self, unit: Unit, part: FilePart) -> bytes:
        seed = bytes.fromhex(unit.seed)
        portrait = generate(seed)
        if part == "image":
            return portrait.png
        name = token_name(unit.seed)
        return metadata(portrait, name=name, seed=seed, image_uri=unit.uri("image"))

    def _at(self, name: str) -> Vault:
        if name not in self._vaults:
            raise WillNotWork(f"the vault {name} is not set up here any more")
        return self._vaults[name]
