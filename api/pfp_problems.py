"""How the PFP routes say no: from their refusals to status and code (`contract.md` §5)."""

from __future__ import annotations

from commands.prepare_batch import OpenPayment
from domain import pfp_refusals as refusals
from domain.credit_account import NotEnoughCredits
from domain.event import Refused


class SolanaSilent(Refused):
    """Solana cannot be asked right now; nothing was recorded. Ask again."""


# class of refusal → status, code, seconds after which asking again makes sense
PFP_TABLE: dict[type[Exception], tuple[int, str, int | None]] = {
    refusals.NotEligible: (403, "NOT_ELIGIBLE", None),
    refusals.ForeignWallet: (403, "WALLET_NOT_LINKED", None),
    refusals.SolanaWalletRequired: (409, "WALLET_REQUIRED", None),
    refusals.NoSlots: (409, "NO_SLOTS", None),
    refusals.BatchAlreadyPaid: (409, "BATCH_ALREADY_PAID", None),
    refusals.BatchPaymentInFlight: (409, "PAYMENT_IN_FLIGHT", 2),
    OpenPayment: (409, "PAYMENT_IN_FLIGHT", 1),
    refusals.TooManyPrepared: (409, "TOO_MANY_ATTEMPTS", 60),
    refusals.BatchCancelled: (409, "BATCH_CANCELLED", None),
    refusals.NotPaidYet: (409, "NOT_OFFERED", None),
    refusals.InsufficientFunds: (409, "INSUFFICIENT_FUNDS", None),
    NotEnoughCredits: (409, "NOT_OFFERED", None),
    refusals.BatchExpired: (410, "BATCH_EXPIRED", None),
    refusals.InvalidQuantity: (422, "INVALID_QUANTITY", None),
    refusals.TransactionMismatch: (422, "TRANSACTION_MISMATCH", None),
    refusals.SignatureMissing: (422, "SIGNATURE_MISSING", None),
    refusals.PictureNotReady: (503, "PICTURE_UNAVAILABLE", 5),
    SolanaSilent: (503, "SOLANA_UNAVAILABLE", 2),
}
