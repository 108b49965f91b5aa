"""What can be asked of an Order: to open, to follow a wallet, to take in what the chain shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from commands.characters import WithCharacter, order_of
from commands.command import Answer, Command, Seen
from commands.passes import current_pass, survivors
from domain.character import Character, character_stream
from domain.claim import Claim
from domain.event import Event, Refused
from domain.mint_view import describe_order
from domain.minter import Minter, minter_stream
from domain.order import ORDER_LASTS, Order
from domain.order_events import FinalMintSigned, OrderOpened, TokenMinted, order_stream
from domain.payment import Payment
from domain.roles import MintTerms, Offer

_ORDERS = UUID("0c4f1b62-6a0b-5f3c-8a3e-52f6a8f6b7d1")


class WalletRequired(Refused):
    """This pass has no EVM wallet; link one first, then open the order."""


class PaymentTaken(Refused):
    """This payment already funds another order."""


class OpenMintOrder(WithCharacter):
    """Opens the one order of a character, or finds the one that is open."""

    offer: Offer
    terms: MintTerms
    opened_block: int

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        if self.stream in seen:
            yield from survivors(seen, self.character(seen).pass_id)
            yield order_stream(self._next_id(seen))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        character, order = self.character(seen), order_of(seen, self.character(seen))
        if not current_pass(seen, character.pass_id).evm_wallets:
            raise WalletRequired()
        lapsed = order.expire(at) if order else []
        if order and order.open and not lapsed:
            return []
        order_id = self._next_id(seen)
        opened = OrderOpened(
            order_id=order_id,
            character_id=character.character_id,
            pass_id=character.pass_id,
            recipe=self.offer.recipe,
            asset=self.offer.price.asset,
            amount=str(self.offer.price.amount),
            chain_id=self.terms.chain_id,
            contract=self.terms.contract,
            token=self.terms.token,
            treasury=self.terms.treasury,
            opened_block=self.opened_block,
            expires_at=at + ORDER_LASTS,
        )
        known = seen.get(Order, order_stream(order_id))
        return [*lapsed, *known.open_for(opened), *character.attach(order_id)]

    def answer(self, seen: Seen, new: bool) -> Answer:
        order = order_of(seen, self.character(seen))
        assert order is not None
        return Answer(201 if new else 200, describe_order(order))

    def _next_id(self, seen: Seen) -> str:
        number = self.character(seen).orders + 1
        return str(uuid5(_ORDERS, f"{self.character_id}\n{number}"))


class WithOrder(Command):
    order_id: str

    @property
    def stream(self) -> str:
        return order_stream(self.order_id)

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream

    def order(self, seen: Seen) -> Order:
        return seen.get(Order, self.stream)

    def pass_id(self, seen: Seen) -> str:
        return self.order(seen).pass_id

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, describe_order(self.order(seen)))


class ShowWalletStep(WithOrder):
    step: Literal["awaiting_approve", "awaiting_mint"] | None

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).show_step(self.step)


class ClaimTransaction(WithOrder):
    """Says that a transaction pays this order. It proves nothing and blocks nobody."""

    tx_hash: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).claim(self.tx_hash, at)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(202, describe_order(self.order(seen)))


class ReopenOrder(WithOrder):
    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).reopen(at)


class ExpireOrder(WithOrder):
    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).expire(at)


class SightTransaction(WithOrder):
    tx_hash: str
    sender: str
    nonce: int

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).sight(self.tx_hash, self.sender, self.nonce)


class DismissTransaction(WithOrder):
    """A claimed transaction is proven not to pay this order."""

    tx_hash: str
    reason: Literal["reverted", "replaced", "not_for_order", "unseen"]

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).dismiss(self.tx_hash, self.reason, at)


class RecordPayment(WithOrder):
    """Takes in a payment that the chain shows, at the depth it has now; `asked` tells whether it
    came by the function that the recipe asks for.

    The caller has checked contract, token, recipient and order id against the chain; payer, amount,
    depth and uniqueness are decided here.
    """

    found: Payment
    confirmations: int
    asked: bool = True

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        yield self._claim
        if self.stream not in seen:
            return
        order = self.order(seen)
        yield from survivors(seen, order.pass_id)
        character = character_stream(order.character_id)
        yield character
        if character in seen and (current := seen.get(Character, character).order_id):
            yield order_stream(current)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order, claim = self.order(seen), seen.get(Claim, self._claim)
        if claim.holder not in ("", self.stream):
            raise PaymentTaken()
        character = seen.get(Character, character_stream(order.character_id))
        current = order_of(seen, character)
        other = current and current.payment and current.order_id != order.order_id
        events = order.record_payment(
            self.found,
            confirmations=self.confirmations,
            wallets=current_pass(seen, order.pass_id).evm_wallets,
            at=at,
            needed=not other,
            asked=self.asked,
        )
        if not any(event.TOPIC == "payment_settled.v1" for event in events):
            return events
        funds = claim.take(self._claim, self.stream)
        return [*events, *character.attach(order.order_id), *funds]

    @property
    def _claim(self) -> str:
        tx_hash, block_hash, log_index = self.found.place
        return f"claim:payment:{tx_hash}:{block_hash}:{log_index}"


class RetractPayment(WithOrder):
    """The block that held the payment is no longer part of the chain."""

    block_hash: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).retract(self.block_hash, at)


class FinalizePayment(WithOrder):
    block_hash: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).finalize(self.block_hash)


class SeeOrder(WithOrder):
    """Decides nothing: what a reaction looks at before it asks the chain."""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        if self.stream in seen:
            yield from survivors(seen, self.order(seen).pass_id)
            yield character_stream(self.order(seen).character_id)

    def wallets(self, seen: Seen) -> frozenset[str]:
        return current_pass(seen, self.order(seen).pass_id).evm_wallets

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class SignFinalMint(WithOrder):
    """Records the server's own mint before it is broadcast, with the nonce that it uses up."""

    chain_id: int
    tx_hash: str
    raw: str
    sender: str
    nonce: int
    to: str
    uri: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        yield minter_stream(self.chain_id, self.sender)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order = self.order(seen)
        minter = seen.get(Minter, minter_stream(self.chain_id, self.sender))
        facts: dict[str, Any] = self.model_dump(exclude={"chain_id"})
        signed = order.final_mint.sign(FinalMintSigned(character_id=order.character_id, **facts))
        return [*signed, *minter.assign(self.chain_id, self.sender, self.nonce)] if signed else []


class DropFinalMint(WithOrder):
    """The nonce of the signed mint went to another transaction, deep enough."""

    tx_hash: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).final_mint.drop(self.tx_hash)


class RecordFinalMint(WithOrder):
    """The server's mint is on chain, deep enough."""

    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int
    token_id: int

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        facts: dict[str, Any] = self.model_dump() | {"token_id": str(self.token_id)}
        minted = TokenMinted(character_id=self.order(seen).character_id, **facts)
        return self.order(seen).final_mint.record(minted)
