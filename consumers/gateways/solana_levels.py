"""Level tokens as SPL tokens: signed here, and found on the chain by their effect.

The mint's key follows from the upgrade's id and the authority's key alone, so that an upgrade has
one token whatever happens: a second creation of it fails. Unlock and burn are paid by the wallet,
whose signature is the transaction's id then; what became of them is read from the accounts, and
the transactions that changed them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from consumers.gateways import solana_json as read
from consumers.gateways import solana_level_reads as seen
from consumers.gateways import solana_tokens as tokens
from consumers.gateways import solana_wire as wire
from consumers.gateways.level_ports import (
    BurnSeen,
    FaultClass,
    Holding,
    LevelMintSeen,
    LevelWanted,
)
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_faults import fault_class
from consumers.gateways.solana_payments import HandedIn
from consumers.gateways.solana_rpc import SolanaRpc
from consumers.gateways.solana_search import Searches
from consumers.gateways.solana_windows import Windows
from domain.solana import Absence, Blockhash, Prepared, TokenFound

MINT_UNITS, BURN_UNITS, EXCHANGE_UNITS = 150_000, 60_000, 200_000
MINTS_AT_ONCE = 50


class SolanaLevels:
    """The `LevelTokens` port. `priority_fee` in micro-lamports per unit of computation."""

    def __init__(self, *, chain: SolanaRpc, authority: Keypair, priority_fee: int = 0) -> None:
        self._chain = chain
        self._authority = authority
        self._ours = str(authority.pubkey())
        self._priority_fee = priority_fee
        self._searches = Searches()
        self._windows = Windows(chain, self._ours)

    def mint_of(self, reference: str) -> str:
        return str(self._key(reference).pubkey())

    def prepare_unlock(self, wanted: LevelWanted, blockhash: Blockhash) -> Prepared:
        wallet = wire.key(wanted.owner)
        instructions = self._minting(wanted, rent_by=wallet)
        return self._prepared(instructions, MINT_UNITS, blockhash, mints=wanted, payer=wallet)

    def prepare_burn(self, mint: str, owner: str, reference: str, blockhash: Blockhash) -> Prepared:
        wallet, instructions = wire.key(owner), self._burning(mint, owner, reference)
        return self._prepared(instructions, BURN_UNITS, blockhash, payer=wallet)

    def prepare_exchange(self, wanted: LevelWanted, burned: str, blockhash: Blockhash) -> Prepared:
        wallet = wire.key(wanted.owner)
        instructions = [
            *self._burning(burned, wanted.owner, wanted.reference),
            *self._minting(wanted),
        ]
        return self._prepared(instructions, EXCHANGE_UNITS, blockhash, mints=wanted, payer=wallet)

    def sign_mint(self, wanted: LevelWanted, blockhash: Blockhash) -> Prepared:
        return self._prepared(self._minting(wanted), MINT_UNITS, blockhash, mints=wanted)

    def complete(self, prepared: Prepared, wallet: str, handed_in: str) -> str:
        return HandedIn().complete(prepared, wallet, handed_in)

    def signature_of(self, raw: str) -> str:
        return wire.signature_of(raw)

    def fault(self, raw: str, error: str) -> FaultClass:
        return fault_class(raw, error, self._authority.pubkey())

    async def minted(self, wanted: LevelWanted) -> tuple[TokenFound, str] | None:
        mint = self.mint_of(wanted.reference)
        ask = partial(seen.minting, mint=mint, authority=self._ours, searches=self._searches)
        told = await self._chain.agreed(mint, ask)
        if told is None:
            return None
        token, final = told
        if (token.owner, token.level, token.cid) != (wanted.owner, wanted.level, wanted.cid):
            raise WillNotWork(f"{mint} is another token than was wanted")
        if not final:
            raise WillNotWork(f"more could be minted of {mint}")
        return TokenFound(mint, "", 0, token.slot), token.signature

    async def burned(self, mint: str) -> BurnSeen | None:
        wire.key(mint)
        return await self._chain.agreed(
            mint, partial(seen.burning, mint=mint, searches=self._searches)
        )

    async def never_minted(self, mint: str, last_valid_height: int) -> Absence | None:
        wire.key(mint)
        ask = partial(seen.never_minted, mint=mint, last_valid_height=last_valid_height)
        return _lowest(await self._chain.all_say(ask))

    async def never_burned(self, mint: str, last_valid_height: int) -> Absence | None:
        wire.key(mint)
        ask = partial(seen.never_burned, mint=mint, last_valid_height=last_valid_height)
        return _lowest(await self._chain.all_say(ask))

    async def holdings(self, expected: Sequence[tuple[str, str]]) -> list[Holding]:
        found: list[Holding] = []
        for some in _chunks(expected):
            told = await self._chain.all_say(partial(seen.holdings, expected=some))
            found += [_agreed(views) for views in zip(*told, strict=True)]
        return found

    async def mints_after(self, signature: str) -> tuple[list[LevelMintSeen], str]:
        told = await self._windows.after(signature)
        if not told or not told[0]:
            return [], signature
        known = [one.signature for one in reversed(told[0])]
        marked = {one.signature for each in told for one in each if _says_level(one)}
        next_ones = [one for one in known if one in marked][:MINTS_AT_ONCE]
        last = next_ones[-1] if len(next_ones) == MINTS_AT_ONCE else known[-1]
        found: list[LevelMintSeen] = []
        for one in next_ones:
            ask = partial(seen.level_mints, signature=one, authority=self._ours)
            minted = await self._chain.agreed(one, ask)
            if minted is None:
                raise TryAgain(f"an endpoint does not tell the transaction {one}", after_s=2.0)
            found += minted
        self._windows.move(last, all_of_it=last == known[-1])
        return found, last

    def _minting(self, wanted: LevelWanted, rent_by: Pubkey | None = None) -> list[Instruction]:
        mint, owner = self._key(wanted.reference).pubkey(), wire.key(wanted.owner)
        return [
            wire.memo(f"{seen.LEVEL}{wanted.level}:{wanted.cid}"),
            *tokens.creation(self._authority.pubkey(), mint, owner, rent_by=rent_by),
        ]

    def _burning(self, mint: str, owner: str, reference: str) -> list[Instruction]:
        return [
            wire.memo(f"{seen.BURN}{reference}"),
            *tokens.burning(wire.key(mint), wire.key(owner)),
        ]

    def _prepared(
        self,
        instructions: Sequence[Instruction],
        units: int,
        blockhash: Blockhash,
        *,
        mints: LevelWanted | None = None,
        payer: Pubkey | None = None,
    ) -> Prepared:
        signers = [self._authority, self._key(mints.reference)] if mints else []
        offered = wire.priority(self._priority_fee, units=units)
        return wire.prepared([*offered, *instructions], signers, blockhash, payer=payer)

    def _key(self, reference: str) -> Keypair:
        return wire.derived(self._authority, "level", reference)


def _says_level(one: read.Summary) -> bool:
    return one.succeeded and seen.says_level(one)


def _chunks(expected: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    for at in range(0, len(expected), seen.HOLDINGS_AT_ONCE):
        yield expected[at : at + seen.HOLDINGS_AT_ONCE]


def _lowest(proofs: Sequence[Absence]) -> Absence | None:
    return min(proofs, key=lambda proof: proof.height) if proofs else None


def _agreed(views: Sequence[Holding]) -> Holding:
    """Endpoints look at slots of their own; the lowest is what they all know."""
    lowest = min(views, key=lambda one: one.slot)
    same = len({(one.state, one.owner) for one in views}) == 1
    return lowest if same else Holding(lowest.mint, "untold", "", lowest.slot)
