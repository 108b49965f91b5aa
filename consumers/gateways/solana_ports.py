"""What reactions and routes may ask of Solana: questions, signatures, broadcasts of signed bytes.

Every signature is known before it leaves: the first of the signed bytes is the transaction's id.
Failures are the three of `ports.py`. Keys, signatures and hashes are base58, bytes are base64,
amounts are lamports. A height counts blocks, a slot does not: what expires is compared by height.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from domain.solana import Absence, Blockhash, Prepared
from domain.solana import TokenFound as TokenSeen

__all__ = ["Absence", "Blockhash", "Prepared", "TokenSeen"]

Commitment = Literal["processed", "confirmed", "finalized"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a signature. `error` is empty when the transaction did what it says, else the
    node's word for why it failed, as compact JSON; a failed one had no effect but its fee."""

    slot: int
    commitment: Commitment
    error: str = ""


@dataclass(frozen=True, slots=True)
class Paid:
    """A finalized transaction of ours, read back: what the payee's balance gained by it."""

    signature: str
    slot: int
    lamports: int


@dataclass(frozen=True, slots=True)
class TreeStanding:
    """How full a tree is; `capacity` 0: it is not there yet."""

    capacity: int
    minted: int


class SolanaChain(Protocol):
    """Asks one endpoint after the other until one answers; what money depends on (`verdict`,
    `absence`, `paid`) asks all that are configured and needs them to agree. Raises TryAgain."""

    async def blockhash(self, commitment: Commitment = "confirmed") -> Blockhash:
        """The newest at a commitment. A wallet's node may judge by finalized ones alone."""
        ...

    async def heights(self) -> tuple[int, int]:
        """(confirmed, finalized) block heights; the lowest of the endpoints' finalized ones."""
        ...

    async def fate(self, signature: str) -> Fate | None:
        """Searched in history; None is no proof. Many askers share one call."""
        ...

    async def verdict(self, signature: str) -> Fate | None:
        """What all endpoints agree on, each having finalized it; None until then."""
        ...

    async def absence(self, signature: str, last_valid_height: int) -> Absence | None:
        """None: no proof yet, or the signature is known somewhere."""
        ...

    async def paid(self, signature: str) -> Paid | None:
        """None until it is finalized; only for a transaction that succeeded."""
        ...

    async def simulate(self, raw: str) -> str:
        """Why a signed transaction would fail now, as `Fate.error`; empty when it would not."""
        ...

    async def broadcast(self, raw: str) -> None:
        """Sends signed bytes; sending them again is always safe. Raises TryAgain when no endpoint
        took them, WillNotWork when every one's preflight says that they cannot succeed now (reason:
        as `Fate.error`), which proves nothing; a repetition of what landed is no failure."""
        ...


class PaymentMaker(Protocol):
    """Prepares payments: a v0 transaction whose fee payer is our authority, so that its signature
    is ours. A memo with `reference` makes two payments of one wallet differ."""

    treasury: str

    def prepare(
        self, wallet: str, lamports: int, blockhash: Blockhash, *, reference: str
    ) -> Prepared: ...


@dataclass(frozen=True, slots=True)
class MintWanted:
    """One token to mint: to whom, with which metadata; `reference` names the unit, for its memo."""

    owner: str
    name: str
    uri: str
    reference: str


class TokenMinter(Protocol):
    """Signs mints that the server pays, or that a wallet pays in the same transaction. Signing
    sends nothing. `tree` is empty for a minter that needs none."""

    kind: Literal["bubblegum", "spl"]

    def sign_mint(self, wanted: MintWanted, tree: str, blockhash: Blockhash) -> Prepared: ...

    def prepare_paid_mint(
        self, wanted: MintWanted, tree: str, lamports: int, blockhash: Blockhash
    ) -> Prepared:
        """Payment of `lamports` (0 allowed) by `wanted.owner` to the treasury and the mint, in one
        transaction that the wallet must sign."""
        ...

    async def token(self, signature: str, wanted: MintWanted) -> TokenSeen | None:
        """The token of a finalized, successful mint; None until then. WillNotWork when what was
        minted is not what was wanted."""
        ...


class TreeKeeper(Protocol):
    """Trees of our authority, by number from 1: address and keys follow from the authority's key,
    so that a tree is never lost with a crash."""

    def address(self, number: int) -> str: ...

    async def standing(self, number: int) -> TreeStanding: ...

    async def sign_creation(self, number: int, blockhash: Blockhash) -> Prepared: ...


class SignedReader(Protocol):
    """Reads what a wallet hands in."""

    def complete(self, prepared: Prepared, wallet: str, handed_in: str) -> str:
        """The whole signed transaction in base64, when `handed_in` (base64) is the prepared
        message byte for byte with our signature and a good one of the wallet. Raises
        TransactionMismatch or SignatureMissing (both of domain.pfp_refusals)."""
        ...
