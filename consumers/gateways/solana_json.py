"""What Solana's nodes answer, read strictly: whatever is not what was asked for is TryAgain.

Source of the shapes: spec `providers.md` §6. Plain JSON, because solders' own readers end the
process with a PanicException on a malformed answer (spec `invariants.md`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import orjson
from solders.pubkey import Pubkey
from solders.signature import Signature

from consumers.gateways.ports import TryAgain
from consumers.gateways.solana_ports import Blockhash, Commitment, Fate

COMMITMENTS: tuple[Commitment, ...] = get_args(Commitment)


@dataclass(frozen=True, slots=True)
class Account:
    """`owner` is the program that may change the account."""

    owner: str
    data: bytes


def integer(value: object) -> int:
    """One that a database can hold as well."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise TryAgain("a node answered with no integer where one belongs")
    return value


def record(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TryAgain("a node answered with no object where one belongs")
    return value


def items(value: object) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TryAgain("a node answered with no list where one belongs")
    return value


@contextmanager
def strictly() -> Iterator[None]:
    """Around a look into an answer: what is not where it belongs is TryAgain."""
    try:
        yield
    except (KeyError, IndexError, TypeError) as malformed:
        raise TryAgain("a node answered with what cannot be read") from malformed


def error_text(error: object) -> str:
    """A transaction's error as compact JSON; empty when there is none."""
    return "" if error is None else orjson.dumps(error).decode()


def in_context(answer: object) -> tuple[int, Any]:
    """(slot, value) of an answer that tells for which slot it holds."""
    told = record(answer)
    if "value" not in told:
        raise TryAgain("a node answered without a value")
    return integer(record(told.get("context")).get("slot")), told["value"]


def blockhash(answer: object) -> Blockhash:
    value = record(in_context(answer)[1])
    return Blockhash(key(value.get("blockhash")), integer(value.get("lastValidBlockHeight")))


def key(value: object) -> str:
    """32 bytes in base58: an address, or a hash."""
    try:
        return str(Pubkey.from_string(str(value)))
    except ValueError:
        raise TryAgain("a node answered with no key where one belongs") from None


def fates(answer: object, signatures: Sequence[str]) -> tuple[int, dict[str, Fate]]:
    """The slot at which a node looked, and the fate of each signature that it knows."""
    slot, value = in_context(answer)
    statuses = items(value)
    if len(statuses) != len(signatures):
        raise TryAgain(f"a node told {len(statuses)} statuses of {len(signatures)} signatures")
    told = zip(signatures, statuses, strict=True)
    return slot, {signature: _fate(status) for signature, status in told if status is not None}


def account(answer: object) -> Account | None:
    """None: there is no account at that address."""
    return _account(in_context(answer)[1])


def accounts(answer: object, count: int) -> tuple[int, list[Account | None]]:
    """The slot at which a node looked, and what it found at so many addresses."""
    slot, value = in_context(answer)
    found = [_account(one) for one in items(value)]
    if len(found) != count:
        raise TryAgain(f"a node told {len(found)} accounts of {count}")
    return slot, found


def _account(value: object) -> Account | None:
    if value is None:
        return None
    told = record(value)
    match told.get("data"):
        case [str(data), "base64"]:
            try:
                return Account(key(told.get("owner")), base64.b64decode(data, validate=True))
            except ValueError:
                raise TryAgain("a node answered with data that is not base64") from None
    raise TryAgain("a node answered with an account in another encoding")


def transaction(answer: object, signature: str) -> Mapping[str, Any] | None:
    """A `getTransaction` answer of just this signature, whose parts are there to be read."""
    if answer is None:
        return None
    told = record(answer)
    integer(told.get("slot"))
    inside, meta = record(told.get("transaction")), record(told.get("meta"))
    items(record(inside.get("message")).get("accountKeys"))
    if items(inside.get("signatures"))[:1] != [signature] or "err" not in meta:
        raise TryAgain("a node answered with another transaction")
    return told


def gain(told: Mapping[str, Any], address: str) -> int:
    """Lamports by which a transaction changed the balance of an address; 0 when it is not in it."""
    keys, meta = told["transaction"]["message"]["accountKeys"], told["meta"]
    if address not in keys:
        return 0
    place = keys.index(address)
    before, after = items(meta.get("preBalances")), items(meta.get("postBalances"))
    if min(len(before), len(after)) <= place:
        raise TryAgain("a node told fewer balances than accounts")
    return integer(after[place]) - integer(before[place])


def amount(told: object) -> int:
    """Of a token, in its smallest unit; nodes write it as text."""
    value = record(told).get("amount")
    if not isinstance(value, str) or not value.isascii() or not value.isdecimal():
        raise TryAgain("a node answered with no amount where one belongs")
    return int(value)


def instructions(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(program, data in base58) of each at the top; no program may come from a lookup table."""
    message = told["transaction"]["message"]
    keys = [key(one) for one in items(message["accountKeys"])]
    said = items(message["instructions"])
    found = [(keys[integer(one["programIdIndex"])], one["data"]) for one in said]
    if not all(isinstance(data, str) for _, data in found):
        raise TryAgain("a node answered with no text where one belongs")
    return found


def signers(told: Mapping[str, Any]) -> list[str]:
    """Who signed a transaction, the payer of its fee first."""
    message = record(told["transaction"]["message"])
    count = integer(record(message.get("header")).get("numRequiredSignatures"))
    return [key(one) for one in message["accountKeys"][:count]]


@dataclass(frozen=True, slots=True)
class Summary:
    """A transaction as the history of an address tells it; `memo` is "[length] text" of each memo,
    joined by "; "."""

    signature: str
    slot: int
    succeeded: bool
    memo: str


def history(answer: object) -> list[Summary]:
    """Newest first."""
    return [_summary(record(one)) for one in items(answer)]


def _summary(told: Mapping[str, Any]) -> Summary:
    memo = told.get("memo")
    if "err" not in told or not isinstance(memo, str | None):
        raise TryAgain("a node answered with no transaction where one belongs")
    try:
        signature = str(Signature.from_string(str(told.get("signature"))))
    except ValueError:
        raise TryAgain("a node answered with no signature where one belongs") from None
    return Summary(signature, integer(told.get("slot")), told["err"] is None, memo or "")


def _fate(status: object) -> Fate:
    told = record(status)
    commitment = told.get("confirmationStatus")
    if commitment not in COMMITMENTS or "err" not in told:
        raise TryAgain("a node told a status that cannot be read")
    return Fate(integer(told.get("slot")), commitment, error_text(told["err"]))
