"""How the paid routes say no: their refusals, and the table from each to its status and code.

Codes are those of seed 004 and `contract.md` §4. A refusal may have `members`, which its problem
gets besides the usual ones.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from commands.x402_slot import NothingTracked, PaymentAlreadyUsed
from domain.event import Refused
from domain.mint_view import spoken_time
from domain.regeneration import NothingPaid
from domain.x402_refusals import (
    PaymentAlreadySettled,
    PaymentInFlight,
    PaymentReplaced,
    SettlementFailed,
    SignatureExpired,
    TooManyAttempts,
)


class FidMismatch(Refused):
    """This fid is not yours: sign in with Farcaster, or link it."""


class WalletNotLinked(Refused):
    """This wallet is not linked to your pass: link it first."""


class FidAlreadyMinted(Refused):
    """The Geoplet of this fid is minted already."""


class VerificationFailed(Refused):
    """The payment is not good."""

    def __init__(self, reason: str) -> None:
        """`reason` is x402's word, such as `invalid_exact_evm_payload_signature`."""
        super().__init__(reason)
        self.reason = reason

    @property
    def sentence(self) -> str:
        return self.reason


class FacilitatorSilent(Refused):
    """The payment cannot be checked now; nothing was recorded and nothing taken. Ask again."""


class PictureAway(Refused):
    """Your picture is made and kept, but its store does not answer; ask again, it is free."""


class WithoutPicture(Refused):
    """Paid or not, there is no picture now; `charged` and `retry` say what that means."""

    def __init__(self, free_until: datetime | None) -> None:
        super().__init__()
        charged = free_until is not None
        until = spoken_time(free_until) if free_until else None
        retry = {"free": True, "until": until} if charged else None
        self.members: dict[str, Any] = {"charged": charged, "retry": retry}


class ImageCreditExhausted(WithoutPicture):
    """Pictures cannot be made right now. What you paid stays yours; try again for nothing."""


class GenerationFailed(WithoutPicture):
    """The picture could not be made. You are not charged again; try again for nothing."""


class ContentRefused(WithoutPicture):
    """The image provider refuses these words. Change them and try again for nothing."""


# class of refusal → status, code, seconds after which asking again makes sense
PAYMENT_TABLE: dict[type[Exception], tuple[int, str, int | None]] = {
    VerificationFailed: (402, "PAYMENT_VERIFICATION_FAILED", None),
    SignatureExpired: (402, "SIGNATURE_EXPIRED", None),
    SettlementFailed: (402, "SETTLEMENT_FAILED", None),
    FidMismatch: (403, "FID_MISMATCH", None),
    WalletNotLinked: (403, "WALLET_NOT_LINKED", None),
    NothingTracked: (404, "NOT_FOUND", None),
    NothingPaid: (409, "NOT_OFFERED", None),
    FidAlreadyMinted: (409, "FID_ALREADY_MINTED", None),
    PaymentInFlight: (409, "PAYMENT_IN_FLIGHT", 2),
    PaymentReplaced: (409, "PAYMENT_REPLACED", None),
    PaymentAlreadyUsed: (409, "PAYMENT_ALREADY_USED", None),
    PaymentAlreadySettled: (409, "PAYMENT_ALREADY_SETTLED", None),
    TooManyAttempts: (409, "TOO_MANY_ATTEMPTS", None),
    ContentRefused: (422, "CONTENT_REFUSED", None),
    FacilitatorSilent: (503, "FACILITATOR_UNAVAILABLE", 2),
    PictureAway: (503, "PICTURE_UNAVAILABLE", 2),
    ImageCreditExhausted: (503, "AI_CREDIT_EXHAUSTED", 60),
    GenerationFailed: (503, "GENERATION_FAILED", 5),
}
