"""Puts the metadata of a level token, and the picture it names, where they stay for ever.

Nothing waits for it: the token's CID was recorded before, with the metadata's own bytes, and a
vault that is away is simply asked again. Both files are in our own cache before they leave, from
where they are served meanwhile, and from where a picture comes that is drawn differently today.
"""

from __future__ import annotations

from commands.command import look
from commands.upgrades import MetadataIsPinned, SeeUpgrade
from consumers.gateways.ports import Failure, WillNotWork
from consumers.gateways.vault_ports import Cache, Sealed, Vault
from consumers.levels.emblem import CONTENT_TYPE, emblem
from consumers.levels.token import image_cid
from consumers.reactions.promise import Desk, Promise
from domain.upgrade_attempt import Attempt
from domain.upgrade_view import unpinned

JSON = "application/json"


class LevelMetadata:
    """`vault` gives a file the CID that the ledger has of it: IPFS."""

    def __init__(self, desk: Desk, vault: Vault, cache: Cache) -> None:
        self._desk, self._vault, self._cache = desk, vault, cache

    async def pin(self, promise: Promise) -> None:
        """Every attempt of the pass whose metadata is not stored. Raises the last of what the vault
        or the cache says; WillNotWork for a picture that nobody has any more. One that fails holds
        up no other."""
        see = SeeUpgrade(owner=promise.order_id)
        failed: Failure | None = None
        for attempt in unpinned(see.upgrade(await look(self._desk.ledger, see))):
            try:
                await self._pin(attempt, promise)
            except Failure as failure:
                failed = failure
        if failed:
            raise failed

    async def _pin(self, attempt: Attempt, promise: Promise) -> None:
        # The picture first: metadata that can be read never names what is not there.
        files = [await self._picture(attempt), self._metadata(attempt)]
        for file in files:
            await self._cache.keep(cache_key(file.item_id), file.body, file.content_type)
        for file in files:
            await self._vault.post(file)
        pinned = MetadataIsPinned(
            owner=promise.order_id, upgrade_id=attempt.terms.upgrade_id, cid=attempt.cid
        )
        await self._desk.do(pinned, cause=promise.todo_id)

    async def _picture(self, attempt: Attempt) -> Sealed:
        wanted = image_cid(attempt.metadata)
        drawn = self._seal(emblem(attempt.level), CONTENT_TYPE, attempt)
        if drawn.item_id == wanted:
            return drawn
        kept = await self._cache.find(cache_key(wanted))
        if kept is not None:
            found = self._seal(kept, CONTENT_TYPE, attempt)
            if found.item_id == wanted:
                return found
        raise WillNotWork(f"the picture {wanted} is neither drawn nor kept any more")

    def _metadata(self, attempt: Attempt) -> Sealed:
        file = self._seal(attempt.metadata.encode(), JSON, attempt)
        if file.item_id != attempt.cid:
            raise WillNotWork(f"the metadata has the CID {file.item_id}, not {attempt.cid}")
        return file

    def _seal(self, content: bytes, content_type: str, attempt: Attempt) -> Sealed:
        return self._vault.seal(content, content_type, reference=attempt.terms.upgrade_id)


def cache_key(cid: str) -> str:
    """Where our own copy of a file is; behind the bucket's public address anybody reads it."""
    return f"levels/{cid}"
