"""How batches and PFP mints say no; each docstring is what the customer reads (seed 003)."""

from __future__ import annotations

from domain.event import Refused


class NotEligible(Refused):
    """This wallet is not on the allowlist."""


class NoSlots(Refused):
    """The allowlist leaves no room for that many; ask for fewer."""


class InvalidQuantity(Refused):
    """Between 1 and 10 can be minted at once."""


class TransactionMismatch(Refused):
    """This is not the transaction that was prepared for you; sign that one, unchanged."""


class SignatureMissing(Refused):
    """Your wallet's signature is missing from the transaction, or does not fit it."""


class BatchExpired(Refused):
    """The time to pay is over and nothing was taken; prepare it again."""


class BatchCancelled(Refused):
    """This was cancelled before it was paid; prepare it again."""


class BatchAlreadyPaid(Refused):
    """This is paid for already; what is not minted yet stays your credit."""


class BatchPaymentInFlight(Refused):
    """A payment may still land; nothing more is asked of you until that is known."""


class TooManyPrepared(Refused):
    """Too many payments were prepared for this wallet and not signed; wait until they lapse."""


class NotPaidYet(Refused):
    """Nothing is minted before it is paid for."""


class InsufficientFunds(Refused):
    """Your wallet does not have enough SOL for this; add some and sign again. Nothing was taken."""


class SolanaWalletRequired(Refused):
    """Link a Solana wallet first; with several, name the one that is meant in `wallet`."""


class ForeignWallet(Refused):
    """This Solana wallet is not linked to your pass: link it first."""


class PictureNotReady(Refused):
    """The picture could not be made or stored right now; nothing was taken. Ask again."""
