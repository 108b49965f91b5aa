"""What a node's JSON means: receipts, logs and the events of our contract in them.

Pure functions. Whatever is malformed, or contradicts itself, is TryAgain: another node, or the
same one later, may say it properly. Events: `contracts/src/RoleMint.sol`; the proof of a payment
is the ERC-20's own Transfer (spec `providers.md` §12).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from consumers.gateways.ports import FinalMintSeen, MintSeen, TryAgain

# keccak of RoleMinted(bytes32,address,uint256,address,address,uint256), and so on.
ROLE_MINTED = "0x803b4f356e78888b2982f0fccc21e36392784fa9c8d9c6409208a3e7cb39cde8"
ROLE_PAID = "0xcd801dac6f27ae90b0e9360764b2edf8bb18c3812ef65aeed6f19519e85396ed"
ROLE_MINTED_FINAL = "0x3830fe7315cd136126edc55da74494218f1c11e661d8af276f4e036ecd99541f"
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


@dataclass(frozen=True, slots=True)
class Log:
    address: str
    topics: tuple[str, ...]
    data: bytes
    log_index: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction's outcome; every log was checked to belong to it, in order."""

    tx_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose events count, and which money moving where proves a payment. Lower case hex."""

    contract: str
    token: str
    treasury: str


def record(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _malformed(f"an object was expected, not {value!r}")
    return value


def records(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise _malformed(f"a list was expected, not {value!r}")
    return [record(each) for each in value]


def quantity(value: Any) -> int:
    return int(_matching(_QUANTITY, value), 16)


def address(value: Any) -> str:
    return _matching(_ADDRESS, value)


def hash32(value: Any) -> str:
    return _matching(_HASH, value)


def receipt(value: Any) -> Receipt:
    """A receipt as `eth_getTransactionReceipt` gives it."""
    fields = record(value)
    status = quantity(fields.get("status"))
    tx_hash = hash32(fields.get("transactionHash"))
    block = (quantity(fields.get("blockNumber")), hash32(fields.get("blockHash")))
    logs = tuple(_log(each, tx_hash, block) for each in records(fields.get("logs")))
    indexes = [log.log_index for log in logs]
    if indexes != sorted(set(indexes)) or (status != 1 and logs):
        raise _malformed("a receipt's logs contradict it")
    return Receipt(tx_hash, block[0], block[1], status == 1, logs)


def mints_in(mined: Receipt, terms: Terms) -> tuple[MintSeen, ...]:
    """Every payment for an order in a receipt, each with the Transfer that proves it.

    A Transfer proves one payment only: the nearest one before the event that no other event took,
    as our contract moves the money right before it speaks. What was paid is the smaller of what
    the event says and what moved.
    """
    unused = _transfers(mined, terms)
    mints = []
    for log in mined.logs:
        if (
            log.address == terms.contract
            and log.topics
            and log.topics[0]
            in (
                ROLE_MINTED,
                ROLE_PAID,
            )
        ):
            mints.append(_mint(mined, log, terms, unused))
    return tuple(mints)


def final_mints_in(mined: Receipt, contract: str) -> tuple[FinalMintSeen, ...]:
    """Every token that the server minted after the picture, in a receipt."""
    return tuple(
        _final_mint(mined, log)
        for log in mined.logs
        if log.address == contract and log.topics and log.topics[0] == ROLE_MINTED_FINAL
    )


def _mint(mined: Receipt, log: Log, terms: Terms, unused: list[tuple[int, str, int]]) -> MintSeen:
    minted = log.topics[0] == ROLE_MINTED
    _expect_topics(log, 4 if minted else 3)
    token, recipient, said = _decoded(["address", "address", "uint256"], log.data)
    payer = _address_in(log.topics[2])
    moved = 0
    if (token, recipient) == (terms.token, terms.treasury):
        before = [each for each in unused if each[0] < log.log_index and each[1] == payer]
        if before:
            unused.remove(before[-1])
            moved = before[-1][2]
    return MintSeen(
        kind="mint" if minted else "payment",
        order_ref=log.topics[1],
        contract=log.address,
        tx_hash=mined.tx_hash,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        log_index=log.log_index,
        payer=payer,
        recipient=recipient,
        token=token,
        amount=min(said, moved),
        token_id=int(log.topics[3], 16) if minted else None,
    )


def _final_mint(mined: Receipt, log: Log) -> FinalMintSeen:
    _expect_topics(log, 4)
    (uri,) = _decoded(["string"], log.data)
    return FinalMintSeen(
        order_ref=log.topics[1],
        tx_hash=mined.tx_hash,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        log_index=log.log_index,
        to=_address_in(log.topics[2]),
        token_id=int(log.topics[3], 16),
        uri=uri,
    )


def _transfers(mined: Receipt, terms: Terms) -> list[tuple[int, str, int]]:
    """`(log index, payer, amount)` of each movement of the expected token to the treasury."""
    return [
        (log.log_index, _address_in(log.topics[1]), int.from_bytes(log.data))
        for log in mined.logs
        if log.address == terms.token
        and len(log.topics) == 3
        and log.topics[0] == TRANSFER
        and _address_in(log.topics[2]) == terms.treasury
        and len(log.data) == 32
    ]


def _log(fields: dict[str, Any], tx_hash: str, block: tuple[int, str]) -> Log:
    told = (
        hash32(fields.get("transactionHash")),
        (quantity(fields.get("blockNumber")), hash32(fields.get("blockHash"))),
    )
    topics = fields.get("topics")
    if told != (tx_hash, block) or fields.get("removed", False) is not False:
        raise _malformed("a receipt holds a log of another transaction")
    if not isinstance(topics, list) or len(topics) > 4:
        raise _malformed("a log's topics are not a list of at most four")
    return Log(
        address=address(fields.get("address")),
        topics=tuple(hash32(topic) for topic in topics),
        data=bytes.fromhex(_matching(_DATA, fields.get("data"))[2:]),
        log_index=quantity(fields.get("logIndex")),
    )


def _decoded(types: list[str], data: bytes) -> tuple[Any, ...]:
    try:
        return decode(types, data)
    except (DecodingError, UnicodeDecodeError) as problem:
        raise _malformed("an event's data does not decode") from problem


def _expect_topics(log: Log, wanted: int) -> None:
    if len(log.topics) != wanted:
        raise _malformed(f"an event has {len(log.topics)} topics instead of {wanted}")


def _address_in(topic: str) -> str:
    if topic[2:26] != "0" * 24:
        raise _malformed("a topic is not an address")
    return "0x" + topic[26:]


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _malformed(f"{str(value)[:80]!r} is not hex of the expected length")
    return value.lower()


def _malformed(what: str) -> TryAgain:
    return TryAgain(f"a node's answer is malformed: {what}"[:300])
