"""What reactions and routes may ask of level tokens: signatures, and what the chain shows of them.

A level token is an SPL token that exists once (decimals 0, supply 1, nobody may mint more). Its
mint key follows from the upgrade's id, so an upgrade has at most one token whatever happens. The
wallet pays for unlock and burn, so their signatures are not ours and not known beforehand: what
became of them is judged by the effect on the chain. Failures are the three of `ports.py`; keys and
signatures are base58, bytes base64. Spec `contract.md` §6, `providers.md` §6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from domain.solana import Absence, Blockhash, Prepared, TokenFound
from domain.upgrade_events import ReasonClass

FaultClass = ReasonClass
"""What a customer is told to do about an error: add SOL, wait, or speak to somebody."""


@dataclass(frozen=True, slots=True)
class LevelWanted:
    """One token of a level: for whom, and the CID of its metadata. `reference` is the upgrade's id;
    the mint transaction says `mega:level:<level>:<cid>` in its memo."""

    owner: str
    level: int
    cid: str
    reference: str


@dataclass(frozen=True, slots=True)
class BurnSeen:
    """A finalized transaction that burned the one token of `mint`, read back. `owner` signed it and
    held the token before, and is empty when who held it did not sign (a delegate burned it);
    `reference` is that of our memo `mega:burn:<upgrade id>`, else empty."""

    mint: str
    owner: str
    signature: str
    slot: int
    reference: str


@dataclass(frozen=True, slots=True)
class Holding:
    """Where the token of a mint is at a finalized `slot`. `absent`: there is no mint, `burned`:
    supply 0, `held`: `owner` has it, `untold`: endpoints differ, or it moved meanwhile."""

    mint: str
    state: Literal["absent", "burned", "held", "untold"]
    owner: str
    slot: int


@dataclass(frozen=True, slots=True)
class LevelMintSeen:
    """A finalized mint of a level token by our authority, as its transaction shows it."""

    mint: str
    owner: str
    level: int
    cid: str
    signature: str
    slot: int


class LevelTokens(Protocol):
    """Signing sends nothing. What is looked up is finalized, and every configured endpoint has to
    agree: TryAgain when one is silent or they differ, None when it is not there yet."""

    def mint_of(self, reference: str) -> str:
        """The address of the mint that an upgrade has, also before it exists."""
        ...

    def prepare_unlock(self, wanted: LevelWanted, blockhash: Blockhash) -> Prepared:
        """The wallet pays fee and rent and signs; `Prepared.signature` is empty."""
        ...

    def prepare_burn(self, mint: str, owner: str, reference: str, blockhash: Blockhash) -> Prepared:
        """The wallet pays and is the only signer; memo `mega:burn:<reference>`."""
        ...

    def prepare_exchange(self, wanted: LevelWanted, burned: str, blockhash: Blockhash) -> Prepared:
        """Burns the token of the mint `burned` and mints the wanted one in one transaction, with
        both memos. The wallet pays the fee, the authority the rent."""
        ...

    def sign_mint(self, wanted: LevelWanted, blockhash: Blockhash) -> Prepared:
        """The server pays: complete, its signature is ours."""
        ...

    def complete(self, prepared: Prepared, wallet: str, handed_in: str) -> str:
        """As `SignedReader.complete`, for transactions whose fee the wallet pays."""
        ...

    def signature_of(self, raw: str) -> str:
        """The id of a transaction that is signed by all."""
        ...

    def fault(self, raw: str, error: str) -> FaultClass:
        """What kind of error it is; `error` as `Fate.error`, `raw` the transaction that had it (it
        tells whose instruction failed), empty when not known. A TryAgain is RETRYING unasked.
        Source: seed 002, Error Handling 1."""
        ...

    async def minted(self, wanted: LevelWanted) -> tuple[TokenFound, str] | None:
        """The wanted token and the signature of the transaction that minted it, found by the mint's
        address. WillNotWork when the mint holds another level, metadata or owner than wanted."""
        ...

    async def burned(self, mint: str) -> BurnSeen | None: ...

    async def never_minted(self, mint: str, last_valid_height: int) -> Absence | None:
        """The proof that no transaction with such a blockhash will create the mint any more: at a
        finalized height above it there is none. `Absence.signature` is empty."""
        ...

    async def never_burned(self, mint: str, last_valid_height: int) -> Absence | None:
        """The same for the burn of its token."""
        ...

    async def holdings(self, expected: Sequence[tuple[str, str]]) -> list[Holding]:
        """Of any number of (mint, who should have its token), in their order; `Holding.owner` is
        who does. Cheap where all is as expected. One that is not told alike is `untold`, and
        holds up no other; TryAgain when an endpoint is silent."""
        ...

    async def mints_after(self, signature: str) -> tuple[list[LevelMintSeen], str]:
        """Level tokens that our authority minted after a transaction of its own (empty: ever),
        oldest first, with the signature to go on after. Bounded: ask again until that stays."""
        ...
