"""Signed v0 transactions: our keys sign first, and a wallet's place stays empty for it.

Who pays the fee is the first signer, whose signature is the transaction's id.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer

from consumers.gateways.ports import WillNotWork
from consumers.gateways.solana_ports import Blockhash, Prepared

PACKET_BYTES = 1_232
SIGNATURE_BYTES = 64
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


def prepared(
    instructions: Sequence[Instruction],
    signers: Sequence[Keypair],
    blockhash: Blockhash,
    *,
    payer: Pubkey | None = None,
) -> Prepared:
    """`signers` are ours; the first pays the fees, unless a wallet is the `payer`."""
    keys, recent = [signer.pubkey() for signer in signers], Hash.from_string(blockhash.value)
    message = MessageV0.try_compile(payer or keys[0], instructions, [], recent)
    content = to_bytes_versioned(message)
    signed = (bytes(signer.sign_message(content)) for signer in signers)
    ours = dict(zip(keys, signed, strict=True))
    required = message.account_keys[: message.header.num_required_signatures]
    signatures = [ours.get(key, bytes(SIGNATURE_BYTES)) for key in required]
    by_us = required[0] in ours
    raw = bytes((len(signatures),)) + b"".join(signatures) + content
    if len(raw) > PACKET_BYTES:
        raise WillNotWork(f"the transaction has {len(raw)} bytes, more than {PACKET_BYTES}")
    return Prepared(
        message=base64.b64encode(content).decode(),
        raw=base64.b64encode(raw).decode(),
        signature=str(Signature.from_bytes(signatures[0])) if by_us else "",
        blockhash=blockhash.value,
        last_valid_height=blockhash.last_valid_height,
    )


def signature_of(raw: str) -> str:
    """The id of a transaction that is signed by all."""
    return str(Signature.from_bytes(base64.b64decode(raw)[1 : 1 + SIGNATURE_BYTES]))


def priority(fee: int, *, units: int) -> list[Instruction]:
    """Offers `fee` micro-lamports for each of at most `units` units of computation; 0: nothing."""
    return [set_compute_unit_limit(units), set_compute_unit_price(fee)] if fee else []


def payment(wallet: Pubkey, treasury: Pubkey, lamports: int) -> Instruction:
    """Of 0 lamports too: by it the wallet has to sign."""
    return transfer(TransferParams(from_pubkey=wallet, to_pubkey=treasury, lamports=lamports))


def memo(text: str) -> Instruction:
    return Instruction(MEMO, text.encode(), [])


def key(address: str) -> Pubkey:
    try:
        return Pubkey.from_string(address)
    except ValueError:
        raise WillNotWork(f"not an address on Solana: {address[:100]!r}") from None


def derived(authority: Keypair, purpose: str, name: str) -> Keypair:
    """A key pair that only the authority's key leads to, always the same: nothing to store."""
    words = f"mega solana {purpose}\0{name}".encode()
    return Keypair.from_seed(hmac.digest(authority.secret(), words, sha256))
