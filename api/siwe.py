"""Sign-In with Ethereum (EIP-4361): reads a message, judges it, and asks who signed it.

Three steps, so that a nonce can be burnt between the first and the others: `parse` (is it such a
message at all?), `judge` (is it for us, now?), `signed_by` (did that account sign it?).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from eth_account import Account
from eth_account.messages import defunct_hash_message, encode_defunct
from eth_keys.exceptions import BadSignature, ValidationError
from eth_utils.address import is_checksum_address

from api.problems import ChainSilent
from api.sign_in import (
    AUTHORITY,
    NONCE,
    REQUEST_ID,
    SKEW,
    TIME,
    URI,
    MalformedMessage,
    SignInRefused,
    judge_place,
    judge_time,
    optional_time,
    time,
)

SIGNATURE_BYTES_MAX = 4_096

AskWallet = Callable[[str, bytes, bytes], Awaitable[bool | None]]
"""Asks the contract at an address (ERC-1271) whether it signed a digest: address, digest of 32
bytes, signature. False also when there is no contract; None when the chain cannot be asked."""


_MESSAGE = re.compile(
    rf"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<domain>{AUTHORITY})"
    r" wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9A-Fa-f]{40})\n\n"
    r"(?:(?P<statement>[ -~]+)\n)?\n"
    rf"URI: (?P<uri>{URI})\n"
    r"Version: 1\n"
    r"Chain ID: (?P<chain_id>\d{1,20})\n"
    rf"Nonce: (?P<nonce>{NONCE})\n"
    rf"Issued At: (?P<issued_at>{TIME})"
    rf"(?:\nExpiration Time: (?P<expiration_time>{TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{TIME}))?"
    rf"(?:\nRequest ID: (?P<request_id>{REQUEST_ID}))?"
    rf"(?:\nResources:(?P<resources>(?:\n- {URI})*))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The fields of a message; `text` is what was signed, `address` has its EIP-55 checksum."""

    text: str
    scheme: str | None
    domain: str
    address: str
    statement: str | None
    uri: str
    chain_id: int
    nonce: str
    issued_at: datetime
    expiration_time: datetime | None
    not_before: datetime | None
    request_id: str | None
    resources: tuple[str, ...]


def parse(text: str) -> Message:
    """Raises MalformedMessage for whatever EIP-4361's grammar does not allow."""
    match = _MESSAGE.fullmatch(text)
    if match is None:
        raise MalformedMessage(("message", "does not follow the grammar of EIP-4361"))
    found = match.groupdict()
    if not is_checksum_address(found["address"]):
        raise MalformedMessage(("message", "the address lacks its EIP-55 checksum"))
    return Message(
        text=text,
        scheme=found["scheme"],
        domain=found["domain"],
        address=found["address"],
        statement=found["statement"],
        uri=found["uri"],
        chain_id=int(found["chain_id"]),
        nonce=found["nonce"],
        issued_at=time(found["issued_at"]),
        expiration_time=optional_time(found["expiration_time"]),
        not_before=optional_time(found["not_before"]),
        request_id=found["request_id"],
        resources=tuple((found["resources"] or "").split("\n- ")[1:]),
    )


def judge(
    message: Message, *, domain: str, chain_id: int, at: datetime, loopback: bool = False
) -> None:
    """Raises SignInRefused unless the message is meant for `domain` and `chain_id` at this time.

    Its URI must be of the same host; `loopback` also allows this machine's, as in development.
    """
    judge_place(message.domain, message.uri, domain=domain, loopback=loopback)
    if message.chain_id != chain_id:
        raise SignInRefused(f"(it is for chain {message.chain_id})")
    if message.issued_at > at + SKEW:
        raise SignInRefused("(it was issued in the future)")
    judge_time(message, at)


async def signed_by(message: Message, signature: bytes, ask_wallet: AskWallet | None = None) -> str:
    """The address in lower case, if its key or its contract signed; else raises SignInRefused.

    Raises ChainSilent when only the contract could tell and the chain cannot be asked.
    """
    signable = encode_defunct(text=message.text)
    if _recovered(signable, signature) == message.address:
        return message.address.lower()
    digest = bytes(defunct_hash_message(text=message.text))
    accepted = await ask_wallet(message.address, digest, signature) if ask_wallet else False
    if accepted is None:
        raise ChainSilent()
    if accepted:
        return message.address.lower()
    raise SignInRefused("(the signature is not this account's)")


def signature_bytes(text: str) -> bytes:
    """The bytes of a signature written as 0x…; raises MalformedMessage for anything else."""
    if not re.fullmatch(r"0x(?:[0-9A-Fa-f]{2})+", text) or len(text) > 2 * SIGNATURE_BYTES_MAX + 2:
        raise MalformedMessage(("signature", "must be 0x and pairs of hexadecimal digits"))
    return bytes.fromhex(text[2:])


def _recovered(signable: object, signature: bytes) -> str | None:
    if len(signature) != 65:
        return None
    try:
        return str(Account.recover_message(signable, signature=signature))
    except (BadSignature, ValidationError, ValueError):
        return None
