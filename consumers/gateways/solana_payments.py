"""Payments that a wallet signs after us, and what a wallet hands in afterwards.

The fee payer is our authority: nobody can alter a byte without breaking its signature, which is the
transaction's id before the wallet has seen it (spec `contract.md` §5).
"""

from __future__ import annotations

import base64

from solders.keypair import Keypair
from solders.message import from_bytes_versioned
from solders.signature import Signature

from consumers.gateways import solana_wire as wire
from consumers.gateways.solana_ports import Blockhash, Prepared
from domain.pfp_refusals import SignatureMissing, TransactionMismatch

PAYMENT_UNITS = 60_000
ENCODED_CHARS_MAX = (wire.PACKET_BYTES + 2) // 3 * 4


class Payments:
    """The `PaymentMaker` port. `priority_fee` in micro-lamports per unit of computation."""

    def __init__(self, *, authority: Keypair, treasury: str, priority_fee: int = 0) -> None:
        self.treasury = treasury
        self._authority = authority
        self._priority_fee = priority_fee

    def prepare(
        self, wallet: str, lamports: int, blockhash: Blockhash, *, reference: str
    ) -> Prepared:
        """WillNotWork when the wallet's address is none."""
        instructions = [
            *wire.priority(self._priority_fee, units=PAYMENT_UNITS),
            wire.payment(wire.key(wallet), wire.key(self.treasury), lamports),
            wire.memo(reference),
        ]
        return wire.prepared(instructions, [self._authority], blockhash)


class HandedIn:
    """The `SignedReader` port. What is handed in is compared and never parsed: all but the wallet's
    own signature has to be, byte for byte, what was prepared, whoever pays its fee."""

    def complete(self, prepared: Prepared, wallet: str, handed_in: str) -> str:
        raw, signed = base64.b64decode(prepared.raw), _decoded(handed_in)
        content = base64.b64decode(prepared.message)
        first, end = _place(content, wallet)
        if signed[:first] + signed[end:] != raw[:first] + raw[end:]:
            raise TransactionMismatch()
        signature = Signature.from_bytes(signed[first:end])
        if not signature.verify(wire.key(wallet), content):
            raise SignatureMissing()
        return base64.b64encode(signed).decode()


def _decoded(text: str) -> bytes:
    if len(text) > ENCODED_CHARS_MAX:
        raise TransactionMismatch()
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise TransactionMismatch() from None


def _place(content: bytes, wallet: str) -> tuple[int, int]:
    """Where the wallet's signature is in a transaction with this message, which is ours."""
    message = from_bytes_versioned(content)
    required = message.account_keys[: message.header.num_required_signatures]
    signers = [str(key) for key in required]
    if wallet not in signers:
        raise TransactionMismatch()
    first = 1 + wire.SIGNATURE_BYTES * signers.index(wallet)
    return first, first + wire.SIGNATURE_BYTES
