"""FinalMint: the server's own mint of a paid order (`role_mint_final`).

Life: signed → minted → final. The signed bytes are kept until their nonce is used otherwise: a mint
that a reorg takes back is the same bytes sent again. `contract.md` §3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain import order_events as happened
from domain.event import Event


@dataclass(frozen=True, slots=True)
class FinalMint:
    signed: happened.FinalMintSigned | None = None
    minted: happened.TokenMinted | None = None
    final: bool = False

    # Questions.

    @property
    def token_id(self) -> int | None:
        return int(self.minted.token_id) if self.minted else None

    @property
    def unsafe(self) -> tuple[happened.TokenMinted, ...]:
        """What a reorg may still take away."""
        return (self.minted,) if self.minted and not self.final else ()

    # Decisions.

    def sign(self, signed: happened.FinalMintSigned) -> list[Event]:
        return [] if self.signed or self.minted else [signed]

    def drop(self, tx_hash: str) -> list[Event]:
        signed = self.signed
        if signed is None or signed.tx_hash != tx_hash or self.minted:
            return []
        ids = {"order_id": signed.order_id, "character_id": signed.character_id}
        return [happened.FinalMintDropped(**ids, tx_hash=tx_hash, nonce=signed.nonce)]

    def record(self, minted: happened.TokenMinted) -> list[Event]:
        return [] if self.minted else [minted]

    def retract(self, block_hash: str) -> list[Event]:
        return [happened.TokenRetracted(**_place(gone)) for gone in self._in(block_hash)]

    def finalize(self, block_hash: str) -> list[Event]:
        return [happened.TokenFinalized(**_place(deep)) for deep in self._in(block_hash)]

    # History.

    def evolve(self, event: Event) -> FinalMint:
        match event:
            case happened.FinalMintSigned():
                return replace(self, signed=event)
            case happened.FinalMintDropped():
                return replace(self, signed=None)
            case happened.TokenMinted():
                return replace(self, minted=event)
            case happened.TokenRetracted():
                return replace(self, minted=None)
            case happened.TokenFinalized():
                return replace(self, final=True)
        return self

    # Helpers.

    def _in(self, block_hash: str) -> list[happened.TokenMinted]:
        return [minted for minted in self.unsafe if minted.block_hash == block_hash]


def _place(minted: happened.TokenMinted) -> dict[str, str]:
    return {
        "order_id": minted.order_id,
        "character_id": minted.character_id,
        "tx_hash": minted.tx_hash,
        "block_hash": minted.block_hash,
    }
