"""Minter: an account of ours that sends transactions. Its nonces come from here, never from a
counter beside the ledger, so each is used up by one recorded intent (`product.md`, I-34)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.event import Event, Refused, event


def minter_stream(chain_id: int, address: str) -> str:
    return f"minter:{chain_id}:{address}"


class NonceTaken(Refused):
    """Another mint was recorded with this nonce; sign again with the next one."""


@event("nonce_assigned.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class NonceAssigned(Event):
    chain_id: int
    address: str
    nonce: int

    @property
    def stream(self) -> str:
        return minter_stream(self.chain_id, self.address)


@dataclass(frozen=True, slots=True)
class Minter:
    """`next_nonce` is None until the first mint, which starts where the chain stands."""

    next_nonce: int | None = None

    def assign(self, chain_id: int, address: str, nonce: int) -> list[Event]:
        if self.next_nonce is not None and nonce != self.next_nonce:
            raise NonceTaken(str(nonce))
        return [NonceAssigned(chain_id=chain_id, address=address, nonce=nonce)]

    def evolve(self, event: Event) -> Minter:
        match event:
            case NonceAssigned(nonce=nonce):
                return Minter(nonce + 1)
        return self
