"""Sign-In with Solana: reads a wallet's message, judges it, and asks whether its key signed it.

The grammar is Phantom's (`phantom/sign-in-with-solana`), in which every line after the address is
optional; here the nonce is not, because by it a message is good once. An empty line may stand where
EIP-4361 leaves one for a statement that is not there. Three steps as in `siwe.py`.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from solders.pubkey import Pubkey
from solders.signature import Signature

from api.sign_in import (
    AUTHORITY,
    NONCE,
    REQUEST_ID,
    TIME,
    URI,
    MalformedMessage,
    SignInRefused,
    judge_place,
    judge_time,
    optional_time,
)

ISSUED_WITHIN = timedelta(minutes=10)
SIGNATURE_CHARS_MAX = 88
"""Of 64 bytes: at most 88 letters of base58, or 88 of base64 with its padding."""

_CLUSTERS = "mainnet|mainnet-beta|testnet|devnet|localnet"
_GENESIS = (  # how CAIP-2 names mainnet, testnet and devnet
    "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp|4uhcVJyU9pJkvQyS88uRDiswHXSgkY3z"
    "|EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
)
_CHAIN = re.compile(rf"(?:solana:)?(?:{_CLUSTERS})|solana:(?:{_GENESIS})")
_MESSAGE = re.compile(
    rf"(?P<domain>{AUTHORITY}) wants you to sign in with your Solana account:\n"
    r"(?P<address>[1-9A-HJ-NP-Za-km-z]{32,44})"
    r"(?:\n\n(?P<statement>[^\x00-\x1f\x7f]+)|\n)?\n"
    rf"(?:\nURI: (?P<uri>{URI}))?"
    r"(?:\nVersion: 1)?"
    r"(?:\nChain ID: (?P<chain>[ -~]{1,80}))?"
    rf"\nNonce: (?P<nonce>{NONCE})"
    rf"(?:\nIssued At: (?P<issued_at>{TIME}))?"
    rf"(?:\nExpiration Time: (?P<expiration_time>{TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{TIME}))?"
    rf"(?:\nRequest ID: (?:{REQUEST_ID}))?"
    rf"(?:\nResources:(?:\n- {URI})*)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The fields that are judged; `text` is what was signed, `address` of 32 bytes in base58."""

    text: str
    domain: str
    address: str
    uri: str | None
    chain: str | None
    nonce: str
    issued_at: datetime | None
    expiration_time: datetime | None
    not_before: datetime | None


def parse(text: str) -> Message:
    """Raises MalformedMessage for whatever the grammar does not allow."""
    match = _MESSAGE.fullmatch(text)
    if match is None:
        raise MalformedMessage(("message", "does not follow the grammar of Sign-In with Solana"))
    found = match.groupdict()
    return Message(
        text=text,
        domain=found["domain"],
        address=address(found["address"], "message"),
        uri=found["uri"],
        chain=found["chain"],
        nonce=found["nonce"],
        issued_at=optional_time(found["issued_at"]),
        expiration_time=optional_time(found["expiration_time"]),
        not_before=optional_time(found["not_before"]),
    )


def judge(
    message: Message,
    *,
    address: str,
    domain: str,
    at: datetime,
    wallet_at: datetime,
    loopback: bool = False,
) -> None:
    """Raises SignInRefused unless the message is meant for `domain` at this time, by `address`.

    `wallet_at` is the time that a wallet's clock should show. It differs from `at` only where
    development moved the application's clock: then a message issued by either is fresh.
    """
    if message.address != address:
        raise SignInRefused("(it is another account's)")
    judge_place(message.domain, message.uri, domain=domain, loopback=loopback)
    if message.chain is not None and not _CHAIN.fullmatch(message.chain):
        raise SignInRefused(f"(it is for chain {message.chain})")
    earliest, latest = min(at, wallet_at) - ISSUED_WITHIN, max(at, wallet_at) + ISSUED_WITHIN
    if message.issued_at and not earliest <= message.issued_at <= latest:
        raise SignInRefused("(it was not issued within the last ten minutes)")
    judge_time(message, at)


def signed_by(message: Message, signature: bytes) -> str:
    """The address, if its key signed the message's UTF-8; else raises SignInRefused.

    Strictly, as Solana itself checks: a key of small order, for which anybody can sign, is nobody.
    """
    key = Pubkey.from_string(message.address)
    if not Signature.from_bytes(signature).verify(key, message.text.encode()):
        raise SignInRefused("(the signature is not this account's)")
    return message.address


def address(text: str, field: str = "address") -> str:
    """`text`, if it is 32 bytes in base58; else raises MalformedMessage."""
    try:
        return str(Pubkey.from_string(text))
    except ValueError:
        raise MalformedMessage((field, "the address is not 32 bytes in base58")) from None


def signature_bytes(text: str) -> bytes:
    """The 64 bytes of a signature in base58, as wallets write it, or in base64, which its padding
    tells apart; raises MalformedMessage for anything else."""
    try:
        if text.endswith("=="):
            return bytes(Signature.from_bytes(base64.b64decode(text, validate=True)))
        return bytes(Signature.from_string(text))
    except ValueError:
        raise MalformedMessage(("signature", "must be 64 bytes in base58")) from None
