"""What a watcher looks for on a chain: our events in its blocks, each a hint for some stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from consumers.gateways.ports import EvmChain, Head
from consumers.gateways.x402_ports import AuthorizationSeen, GeopletChain, GeopletSeen
from domain.mint_view import order_id_of
from domain.order_events import order_stream
from domain.payment_slot import slot_stream


@dataclass(frozen=True, slots=True)
class Sighting:
    """An event in a block; `id` is the same for every copy of it, `value` says where to look."""

    id: str
    block_number: int
    key: str
    value: dict[str, Any]


class Source(Protocol):
    """`name` is that of its cursor; a first look starts at the least `field` of `topic`."""

    name: str
    topic: str
    field: str

    async def head(self) -> Head: ...

    async def between(self, first: int, last: int) -> Sequence[Sighting]: ...


class RoleMints:
    """Every payment for a role mint, whoever reported it."""

    topic, field = "order_opened.v1", "opened_block"

    def __init__(self, chain: EvmChain) -> None:
        self.name = f"evm_watch:{chain.chain_id}"
        self._chain = chain

    async def head(self) -> Head:
        return await self._chain.head()

    async def between(self, first: int, last: int) -> Sequence[Sighting]:
        found = []
        for mint in await self._chain.mints_between(first, last):
            if order_id := order_id_of(mint.order_ref):
                id_ = f"mint:{mint.tx_hash}:{mint.block_hash}:{mint.log_index}"
                value = {"order_id": order_id, "tx_hash": mint.tx_hash, "block": mint.block_number}
                found.append(Sighting(id_, mint.block_number, order_stream(order_id), value))
        return found


class Geoplets:
    """Every authorization that paid us, whoever handed it in, and every Geoplet that was minted."""

    topic, field = "x402_payment_verified.v1", "seen_block"

    def __init__(self, chain: GeopletChain) -> None:
        self.name = f"geoplet_watch:{chain.chain_id}"
        self._chain = chain

    async def head(self) -> Head:
        return await self._chain.head()

    async def between(self, first: int, last: int) -> Sequence[Sighting]:
        return [_sighting(seen) for seen in await self._chain.sightings(first, last)]


def _sighting(seen: AuthorizationSeen | GeopletSeen) -> Sighting:
    place = f"{seen.tx_hash}:{seen.block_hash}:{seen.log_index}"
    where = {"tx_hash": seen.tx_hash, "block": seen.block_number}
    if isinstance(seen, GeopletSeen):
        value = {"fid": seen.fid, **where}
        return Sighting(f"geoplet:{place}", seen.block_number, slot_stream(seen.fid, "mint"), value)
    value = {"payer": seen.payer, "nonce": seen.nonce, **where}
    return Sighting(f"settled:{place}", seen.block_number, f"payer:{seen.payer}", value)
