"""Whether the payer signed a payment: by its key, or by its contract (ERC-1271)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from consumers.gateways.eip712 import authorization_digest, signer_of
from consumers.gateways.ports import TryAgain
from domain.x402 import PaymentTerms, SignedPayment

AskWallet = Callable[[str, bytes, bytes], Awaitable[bool | None]]
"""`(address, digest, signature)`: whether that contract signed; None: it could not be asked."""


async def signed_by(
    payment: SignedPayment, terms: PaymentTerms, ask_wallet: AskWallet | None = None
) -> bool:
    """Whether `payment.authorization.payer` signed exactly this, in the domain of `terms`' token.

    Raises TryAgain when only a contract could tell and the chain cannot be asked.
    """
    said = payment.authorization
    signature = bytes.fromhex(payment.signature[2:])
    try:
        digest = authorization_digest(said, terms)
    except OverflowError:
        return False
    if signer_of(digest, signature) == said.payer:
        return True
    accepted = await ask_wallet(said.payer, digest, signature) if ask_wallet else False
    if accepted is None:
        raise TryAgain("the chain cannot be asked whether the payer's contract signed")
    return accepted
