"""What Base says of an x402 order, turned into the commands that take it in.

No facilitator is asked and no hash is believed: a payment is found by its nonce, a mint by its fid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commands.command import Command
from commands.x402_outcome import (
    FinalizeX402Block,
    LandPayment,
    LapsePayment,
    RecordGeopletMint,
    RetractX402Block,
)
from consumers.evidence import depth
from consumers.gateways.ports import Head, WillNotWork
from consumers.gateways.x402_ports import AuthorizationSeen, GeopletChain, GeopletSeen
from domain.geoplet_mint import MintFound
from domain.x402_attempt import Attempt, Landing
from domain.x402_order import X402Order

Seen = AuthorizationSeen | GeopletSeen


@dataclass(frozen=True, slots=True)
class X402Depths:
    """In blocks, the own one counted: when a payment counts, when a mint does, and when a block is
    final, so that its watch ends and its time proves what can no longer happen."""

    payment: int
    mint: int
    finality: int


class X402Examiner:
    """Looks an order up on its chain; reads only. Raises TryAgain."""

    def __init__(self, chain: GeopletChain, depths: X402Depths) -> None:
        self.chain, self.depths = chain, depths

    async def examine(self, order: X402Order) -> list[Command]:
        """Everything that the chain has to say now; may be nothing."""
        head = await self.chain.head()
        standing = await self._standing(order, head)
        told = await self._told(order)
        uses = [await self._use(order, each, head, told) for each in order.attempts.alive]
        mint = await self._mint(order, head, told)
        return [*standing, *(command for command in (*uses, mint) if command)]

    async def _standing(self, order: X402Order, head: Head) -> list[Command]:
        """Are the blocks of payment and mint still in the chain, and deep enough to forget?"""
        held = {
            each.landing.block_hash: each.landing.block_number
            for each in order.attempts.unsafe
            if each.landing
        }
        if order.minting.seen and not order.minting.final:
            held[order.minting.seen.block_hash] = order.minting.seen.block_number
        found = [await self._block(order, *block, head) for block in held.items()]
        return [command for command in found if command]

    async def _block(
        self, order: X402Order, block_hash: str, number: int, head: Head
    ) -> Command | None:
        there = await self.chain.block_hash(number)
        if there is None:
            return None
        if there != block_hash:
            return RetractX402Block(order_id=order.order_id, block_hash=block_hash)
        if depth(head, number) < self.depths.finality:
            return None
        return FinalizeX402Block(order_id=order.order_id, block_hash=block_hash)

    async def _told(self, order: X402Order) -> list[AuthorizationSeen | GeopletSeen]:
        """What stands in the transactions that somebody named, while that may be news."""
        settling = order.claims if order.attempts.alive else frozenset()
        minting = frozenset() if order.minting.seen else order.minting.claims
        named = sorted(settling | minting)
        return [seen for tx in named for seen in await self.chain.seen_in(tx)]

    async def _use(
        self, order: X402Order, attempt: Attempt, head: Head, told: Sequence[Seen]
    ) -> Command | None:
        used = await self._used(attempt, told)
        if used is None:
            return await self._lapsed(order, attempt, head)
        if used.pay_to not in ("", attempt.pay_to):
            raise WillNotWork(f"{order.stream} was to be paid to {attempt.pay_to}")
        found = Landing(
            payer=used.payer,
            # What is signed moves whole or, cancelled, not at all, whoever is paid today.
            amount=attempt.amount if used.pay_to else 0,
            tx_hash=used.tx_hash,
            block_number=used.block_number,
            block_hash=used.block_hash,
            log_index=used.log_index,
            depth=depth(head, used.block_number),
        )
        return LandPayment(
            order_id=order.order_id,
            nonce=attempt.nonce,
            found=found,
            confirmations=self.depths.payment,
        )

    async def _used(self, attempt: Attempt, told: Sequence[Seen]) -> AuthorizationSeen | None:
        """Where it was used: since it was verified, or in a transaction that somebody named."""
        first, wanted = self._first(attempt), (attempt.payer, attempt.nonce)
        uses = (seen for seen in told if isinstance(seen, AuthorizationSeen))
        named = next((use for use in uses if (use.payer, use.nonce) == wanted), None)
        return named or await self.chain.use_of(*wanted, from_block=first)

    def _first(self, attempt: Attempt) -> int:
        """The first block in which it can have been used after it was verified."""
        return max(0, attempt.seen_block - self.depths.finality)

    async def _lapsed(self, order: X402Order, attempt: Attempt, head: Head) -> Command | None:
        """The proof: a final block is past the end, and the nonce is unused in a later one."""
        number = head.number - self.depths.finality + 1
        if head.time < attempt.valid_before or number < 0:
            return None
        proof = await self.chain.block(number)
        if proof is None or proof.time < attempt.valid_before:
            return None
        if await self.chain.authorization_used(attempt.payer, attempt.nonce):
            return None
        return LapsePayment(
            order_id=order.order_id,
            nonce=attempt.nonce,
            proof_block=number,
            proof_block_hash=proof.hash,
            proof_time=proof.time,
        )

    async def _mint(self, order: X402Order, head: Head, told: Sequence[Seen]) -> Command | None:
        attempts = order.attempts.all
        if not order.mints or order.minting.final or not attempts:
            return None
        assert order.terms is not None
        fid, first = order.terms.fid, self._first(attempts[0])
        mints = (seen for seen in told if isinstance(seen, GeopletSeen))
        seen = next((mint for mint in mints if mint.fid == fid), None)
        seen = seen or await self.chain.geoplet_of(fid, from_block=first)
        if seen is None:
            return await self._minted_before(order, head)
        place = (seen.tx_hash, seen.block_number, seen.block_hash, seen.log_index)
        deep = depth(head, seen.block_number) >= self.depths.mint
        found = MintFound(seen.owner, *place)
        return RecordGeopletMint(order_id=order.order_id, found=found, deep=deep)

    async def _minted_before(self, order: X402Order, head: Head) -> Command | None:
        """A fid that was minted before anybody asked for it here: it cannot be delivered.

        Asked of a block deep enough to stay, in which a mint of ours would have been seen already.
        What a service told of may have been minted long ago, and is for it to tell.
        """
        assert order.terms is not None
        voucher, block = order.minting.voucher, head.number - self.depths.mint + 1
        if not order.paid or order.minting.seen or order.failure or block < 0:
            return None
        if voucher is None or not voucher.ours:
            return None
        if not await self.chain.fid_minted(order.terms.fid, block=block):
            return None
        found = MintFound(owner="", tx_hash="", block_number=0, block_hash="", log_index=0)
        return RecordGeopletMint(order_id=order.order_id, found=found, deep=True)
