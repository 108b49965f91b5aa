"""What the chain says about an order, turned into the commands that take it in.

Asked twice on purpose: by the reaction that watches an order, and again by the intake before it
acts on a message, so that a forged message confirms nothing. Reads only; decides nothing that the
Order decides itself (payer, amount, depth, uniqueness).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from commands.command import Command
from commands.orders import (
    DismissTransaction,
    DropFinalMint,
    FinalizePayment,
    RecordFinalMint,
    RecordPayment,
    RetractPayment,
    SightTransaction,
)
from consumers.gateways.ports import EvmChain, Head, MintSeen, TransactionSeen
from domain.mint_view import order_ref
from domain.order import Order
from domain.payment import Payment, Transaction

Verdict = Literal["reverted", "replaced", "not_for_order", "unseen"]


@dataclass(frozen=True, slots=True)
class Depths:
    """In blocks, the own one counted: when a payment counts, and when its watch ends."""

    confirmations: int
    finality: int


class Examiner:
    """Looks an order up on its chain."""

    def __init__(self, chain: EvmChain, depths: Depths) -> None:
        self.chain, self.depths = chain, depths

    async def examine(self, order: Order, wallets: frozenset[str], at: datetime) -> list[Command]:
        """Everything that the chain has to say now; may be nothing. Raises TryAgain."""
        assert order.terms is not None
        head = await self.chain.head()
        moved = await self.standing(order, head)
        first = max(0, order.terms.opened_block - self.depths.finality)
        mints = await self.chain.mints_of(order_ref(order.order_id), from_block=first)
        found = await self._payments(order, mints, head)
        claims = [tx for tx in order.claims if tx not in {mint.tx_hash for mint in mints}]
        judged = [await self._claim(order, tx, wallets, head, at) for tx in claims]
        final = await self._final_mint(order, head, first)
        return [*moved, *found, *(command for command in judged if command), *final]

    async def standing(self, order: Order, head: Head) -> list[Command]:
        """Are the blocks of payments and token still in the chain, and deep enough to forget?"""
        held = (*order.unsafe, *order.final_mint.unsafe)
        blocks = {each.block_hash: each.block_number for each in held}
        found = [await self._block(order, *block, head) for block in blocks.items()]
        return [command for command in found if command]

    async def _block(
        self, order: Order, block_hash: str, number: int, head: Head
    ) -> Command | None:
        there = await self.chain.block_hash(number)
        if there is None:
            return None
        if there != block_hash:
            return RetractPayment(order_id=order.order_id, block_hash=block_hash)
        if depth(head, number) < self.depths.finality:
            return None
        return FinalizePayment(order_id=order.order_id, block_hash=block_hash)

    async def _payments(self, order: Order, mints: Sequence[MintSeen], head: Head) -> list[Command]:
        assert order.terms is not None
        kind = "mint" if order.terms.recipe == "role_mint" else "payment"
        commands: list[Command] = []
        for mint in mints:
            transaction = await self.chain.transaction(mint.tx_hash)
            if transaction is None:
                continue
            found = _payment(mint, transaction, head)
            if self._news(order, found):
                commands.append(
                    RecordPayment(
                        order_id=order.order_id,
                        found=found,
                        confirmations=self.depths.confirmations,
                        asked=mint.kind == kind,
                    )
                )
        return commands

    def _news(self, order: Order, found: Payment) -> bool:
        held = order.receipts.at(found.place)
        if held and (order.payment or held.taken_as == "rejected"):
            return False
        shallow = found.depth < self.depths.confirmations
        return not (shallow and order.seen is not None and order.seen.place == found.place)

    async def _claim(
        self,
        order: Order,
        tx_hash: str,
        wallets: frozenset[str],
        head: Head,
        at: datetime,
    ) -> Command | None:
        claim, id_ = order.claims[tx_hash], order.order_id
        seen = await self.chain.transaction(tx_hash)
        if seen and not claim.known:
            return SightTransaction(
                order_id=id_, tx_hash=tx_hash, sender=seen.sender, nonce=seen.nonce
            )
        if seen is None:
            verdict = await self._missing(claim, head, at)
        else:
            verdict = self._mined(seen, wallets, head)
        if verdict is None:
            return None
        return DismissTransaction(order_id=id_, tx_hash=tx_hash, reason=verdict)

    async def _missing(self, claim: Transaction, head: Head, at: datetime) -> Verdict | None:
        if claim.unseen(at):
            return "unseen"
        deep = head.number - self.depths.confirmations + 1
        if claim.nonce is None or deep < 0:
            return None
        return "replaced" if await self.chain.nonce_at(claim.sender, deep) > claim.nonce else None

    def _mined(self, seen: TransactionSeen, wallets: frozenset[str], head: Head) -> Verdict | None:
        if seen.block_number is None:
            return None
        if depth(head, seen.block_number) < self.depths.confirmations:
            return None
        ours = seen.succeeded is False and seen.sender in wallets
        return "reverted" if ours else "not_for_order"

    async def _final_mint(self, order: Order, head: Head, first: int) -> list[Command]:
        signed = order.final_mint.signed
        if signed is None or order.final_token_id is not None:
            return []
        seen = await self.chain.final_mint_of(order_ref(order.order_id), from_block=first)
        deep = head.number - self.depths.confirmations + 1
        if seen is None:
            used = deep >= 0 and await self.chain.nonce_at(signed.sender, deep) > signed.nonce
            return [DropFinalMint(order_id=order.order_id, tx_hash=signed.tx_hash)] if used else []
        if depth(head, seen.block_number) < self.depths.confirmations:
            return []
        return [
            RecordFinalMint(
                order_id=order.order_id,
                tx_hash=seen.tx_hash,
                block_number=seen.block_number,
                block_hash=seen.block_hash,
                log_index=seen.log_index,
                token_id=seen.token_id,
            )
        ]


def depth(head: Head, block_number: int) -> int:
    return max(0, head.number - block_number + 1)


def spoken(commands: Iterable[Command]) -> list[dict[str, object]]:
    """Findings as a message carries them, for analysts; the intake does not act on them."""
    return [{"finding": type(c).__name__, **c.model_dump(mode="json")} for c in commands]


def _payment(mint: MintSeen, transaction: TransactionSeen, head: Head) -> Payment:
    return Payment(
        tx_hash=mint.tx_hash,
        sender=transaction.sender,
        nonce=transaction.nonce,
        block_number=mint.block_number,
        block_hash=mint.block_hash,
        log_index=mint.log_index,
        payer=mint.payer,
        amount=mint.amount,
        token_id=mint.token_id,
        depth=depth(head, mint.block_number),
    )
