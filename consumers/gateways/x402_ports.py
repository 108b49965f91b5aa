"""What reactions, and the routes that ask for payment, may ask of facilitators and of Base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from consumers.gateways.ports import Head
from domain.x402 import PaymentTerms, SignedPayment


@dataclass(frozen=True, slots=True)
class Verdict:
    """A facilitator's word on a payment that nobody has settled yet. `reason` is x402's own, empty
    when valid; `facilitator` who would settle it; `payment_id` what its settlement is asked by."""

    valid: bool
    reason: str = ""
    facilitator: str = ""
    payment_id: str = ""


@dataclass(frozen=True, slots=True)
class SettleAnswer:
    """A facilitator's word on a settlement, which the chain confirms or does not.

    `pending`: a transaction left and nobody knows what became of it. Neither settled nor pending:
    it was refused for `reason`. `tx_hash` empty when none was told.
    """

    settled: bool
    pending: bool = False
    tx_hash: str = ""
    facilitator: str = ""
    reason: str = ""


class Facilitator(Protocol):
    """Moves a signed payment. Both calls raise TryAgain when the facilitator was not reached or
    turned us away; `settle` raises OutcomeUnknown (reference: the nonce) for everything that may
    have moved money: silence after sending, 5xx, an answer that broke off or makes no sense."""

    name: str

    async def verify(self, payment: SignedPayment, terms: PaymentTerms) -> Verdict: ...

    async def settle(
        self, payment: SignedPayment, terms: PaymentTerms, *, payment_id: str
    ) -> SettleAnswer: ...


@dataclass(frozen=True, slots=True)
class AuthorizationSeen:
    """The use of an EIP-3009 authorization in a mined block: its AuthorizationUsed event (or
    AuthorizationCanceled: `amount` 0), with the Transfer from `payer` that stands in the same
    receipt. Addresses and hashes in lower case hex; `amount` 0 when no transfer goes to the payee.
    """

    payer: str
    nonce: str
    pay_to: str
    amount: int
    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int


@dataclass(frozen=True, slots=True)
class GeopletSeen:
    """A GeopletMinted event in a mined block; `fid` is the token's id, `owner` in lower case."""

    fid: int
    owner: str
    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int


class GeopletChain(Protocol):
    """Reads USDC and the Geoplets contract. Every answer is what the quorum of the nodes agrees on;
    all calls raise TryAgain when they do not answer or disagree."""

    chain_id: int

    async def head(self) -> Head: ...

    async def block_hash(self, number: int) -> str | None: ...

    async def block(self, number: int) -> Head | None:
        """A block; None when it is not there."""

    async def authorization_used(self, payer: str, nonce: str) -> bool:
        """`authorizationState` at the newest block."""

    async def use_of(self, payer: str, nonce: str, *, from_block: int) -> AuthorizationSeen | None:
        """Where an authorization was used or cancelled, None while it was not."""

    async def seen_in(self, tx_hash: str) -> list[AuthorizationSeen | GeopletSeen]:
        """Every use of an authorization and every mint in one transaction, however old that is."""

    async def reverted(self, tx_hash: str) -> bool:
        """Whether a transaction stands in a block and failed there; False while it is in none."""

    async def fid_minted(self, fid: int, *, block: int | None = None) -> bool:
        """`fidMinted` at a block, the newest unless it is told: the truth for "already minted"."""

    async def geoplet_of(self, fid: int, *, from_block: int) -> GeopletSeen | None: ...

    async def sightings(self, first: int, last: int) -> list[AuthorizationSeen | GeopletSeen]:
        """Every authorization that paid the payee, and every mint, in these blocks, both included;
        cancellations are not among them."""
