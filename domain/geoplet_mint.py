"""Minting: the vouchers that were given out for a Geoplet, and the one token they can lead to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from domain import geoplet_events as happened
from domain.event import Event

CLAIMS_MAX = 20


@dataclass(frozen=True, slots=True)
class MintFound:
    """A mint as its event in a block tells it."""

    owner: str
    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int

    def facts(self) -> dict[str, Any]:
        """The fields of a MintEvent."""
        return asdict(self)

    @staticmethod
    def of(event: happened.MintEvent) -> MintFound:
        place = (event.tx_hash, event.block_number, event.block_hash, event.log_index)
        return MintFound(event.owner, *place)


@dataclass(frozen=True, slots=True)
class Minting:
    """`voucher` is the newest, `minters` are whom any of them lets mint. `seen`: a block has the
    mint; `minted_at`: it is deep enough."""

    voucher: happened.VoucherIssued | None = None
    vouchers: int = 0
    minters: frozenset[str] = frozenset()
    seen: MintFound | None = None
    minted_at: datetime | None = None
    final: bool = False
    claims: frozenset[str] = frozenset()

    @property
    def minted(self) -> bool:
        return self.minted_at is not None

    def issue(self, voucher: happened.VoucherIssued) -> list[Event]:
        known = self.voucher and self.voucher.voucher_nonce == voucher.voucher_nonce
        return [] if known or self.seen else [voucher]

    def claim(self, claimed: happened.MintClaimed) -> list[Event]:
        known = claimed.tx_hash in self.claims or len(self.claims) >= CLAIMS_MAX
        return [] if known or self.minted else [claimed]

    def record(self, ids: Any, found: MintFound, *, deep: bool, at: datetime) -> list[Event]:
        """The mint as it stands on the chain now; one that moved to another block moves here."""
        moved: list[Event] = []
        if self.seen and self.seen.block_hash != found.block_hash:
            if self.final:
                return []
            moved = self.retract(ids, self.seen.block_hash)
        here = self.seen is not None and not moved
        if deep:
            done = here and self.minted
            minted = happened.GeopletMinted(**ids, **found.facts(), minted_at=at)
            return moved if done else [*moved, minted]
        return moved if here else [*moved, happened.GeopletMintSeen(**ids, **found.facts())]

    def retract(self, ids: Any, block_hash: str) -> list[Event]:
        if self.seen is None or self.final or self.seen.block_hash != block_hash:
            return []
        tx = self.seen.tx_hash
        return [happened.GeopletMintRetracted(**ids, tx_hash=tx, block_hash=block_hash)]

    def finalize(self, ids: Any, block_hash: str) -> list[Event]:
        if self.seen is None or self.final or self.seen.block_hash != block_hash:
            return []
        deep = happened.GeopletMintFinalized(
            **ids, tx_hash=self.seen.tx_hash, block_hash=block_hash
        )
        return [deep] if self.minted else []

    def evolve(self, event: Event) -> Minting:
        match event:
            case happened.VoucherIssued():
                issued = replace(self, voucher=event, vouchers=self.vouchers + 1)
                return replace(issued, minters=self.minters | {event.to})
            case happened.MintClaimed(tx_hash=tx):
                return replace(self, claims=self.claims | {tx})
            case happened.GeopletMintSeen():
                return replace(self, seen=MintFound.of(event))
            case happened.GeopletMinted(minted_at=at):
                return replace(self, seen=MintFound.of(event), minted_at=at)
            case happened.GeopletMintRetracted():
                return replace(self, seen=None, minted_at=None)
            case happened.GeopletMintFinalized():
                return replace(self, final=True)
        return self
