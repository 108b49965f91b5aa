"""What Base says of an x402 order, turned into the commands that take it in.

No facilitator is asked and no hash is believed: a payment is found by its nonce, a mint by its fid.
"""

from __future__ import annotations

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
from consumers.gateways.x402_ports import AuthorizationSeen, GeopletChain
from domain.geoplet_mint import MintFound
from domain.x402_attempt import Attempt, Landing
from domain.x402_order import X402Order


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
        uses = [await self._use(order, each, head) for each in order.attempts.alive]
        mint = await self._mint(order, head)
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

    async def _use(self, order: X402Order, attempt: Attempt, head: Head) -> Command | None:
        used = await self._used(order, attempt)
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

    async def _used(self, order: X402Order, attempt: Attempt) -> AuthorizationSeen | None:
        """Where it was used: since it was verified, or in a transaction that somebody named."""
        first = max(0, attempt.seen_block - self.depths.finality)
        used = await self.chain.use_of(attempt.payer, attempt.nonce, from_block=first)
        for tx_hash in () if used else sorted(order.claims):
            used = used or await self.chain.use_in(tx_hash, attempt.payer, attempt.nonce)
        return used

    async def _lapsed(self, order: X402Order, attempt: Attempt, head: Head) -> Command | None:
        """The proof: a final block is past the end, and the nonce is unused in a later one."""
        number = head.number - self.depths.finality + 1
        if head.time < attempt.valid_before or number < 0:
            return None
        time, hash_ = await self.chain.block_time(number), await self.chain.block_hash(number)
        if time is None or hash_ is None or time < attempt.valid_before:
            return None
        if await self.chain.authorization_used(attempt.payer, attempt.nonce):
            return None
        return LapsePayment(
            order_id=order.order_id,
            nonce=attempt.nonce,
            proof_block=number,
            proof_block_hash=hash_,
            proof_time=time,
        )

    async def _mint(self, order: X402Order, head: Head) -> Command | None:
        attempts = order.attempts.all
        if not order.mints or order.minting.final or not attempts:
            return None
        assert order.terms is not None
        first = max(0, attempts[0].seen_block - self.depths.finality)
        fid = order.terms.fid
        seen = await self.chain.geoplet_of(fid, from_block=first)
        if seen is None and await self._minted(order):
            # Between the two questions, or before the first block that was looked at?
            seen = await self.chain.geoplet_of(fid, from_block=first)
            if seen is None:
                return _minted_before(order)
        if seen is None:
            return None
        place = (seen.tx_hash, seen.block_number, seen.block_hash, seen.log_index)
        deep = depth(head, seen.block_number) >= self.depths.mint
        found = MintFound(seen.owner, *place)
        return RecordGeopletMint(order_id=order.order_id, found=found, deep=deep)

    async def _minted(self, order: X402Order) -> bool:
        """Whether a paid fid is minted that nobody has seen being minted."""
        assert order.terms is not None
        if not order.paid or order.minting.seen or order.failure:
            return False
        return await self.chain.fid_minted(order.terms.fid)


def _minted_before(order: X402Order) -> Command:
    """A fid that was minted before anybody asked for it here: it cannot be delivered."""
    found = MintFound(owner="", tx_hash="", block_number=0, block_hash="", log_index=0)
    return RecordGeopletMint(order_id=order.order_id, found=found, deep=True)
