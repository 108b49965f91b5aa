"""What a node's JSON means: numbers, hashes, receipts and the logs in them.

Pure functions. Whatever is malformed, or contradicts itself, is TryAgain: another node, or the
same one later, may say it properly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from consumers.gateways.ports import TryAgain

# keccak of Transfer(address,address,uint256), every ERC-20's word for money that moved.
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


def record(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise malformed(f"an object was expected, not {value!r}")
    return value


def records(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise malformed(f"a list was expected, not {value!r}")
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
        raise malformed("a receipt's logs contradict it")
    return Receipt(tx_hash, block[0], block[1], status == 1, logs)


def decoded(types: list[str], data: bytes) -> tuple[Any, ...]:
    try:
        return decode(types, data)
    except (DecodingError, UnicodeDecodeError) as problem:
        raise malformed("an event's data does not decode") from problem


def expect_topics(log: Log, wanted: int) -> None:
    if len(log.topics) != wanted:
        raise malformed(f"an event has {len(log.topics)} topics instead of {wanted}")


def address_in(topic: str) -> str:
    if topic[2:26] != "0" * 24:
        raise malformed("a topic is not an address")
    return "0x" + topic[26:]


def malformed(what: str) -> TryAgain:
    return TryAgain(f"a node's answer is malformed: {what}"[:300])


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise malformed(f"{str(value)[:80]!r} is not hex of the expected length")
    return value.lower()


def _log(fields: dict[str, Any], tx_hash: str, block: tuple[int, str]) -> Log:
    told = (
        hash32(fields.get("transactionHash")),
        (quantity(fields.get("blockNumber")), hash32(fields.get("blockHash"))),
    )
    topics = fields.get("topics")
    if told != (tx_hash, block) or fields.get("removed", False) is not False:
        raise malformed("a receipt holds a log of another transaction")
    if not isinstance(topics, list) or len(topics) > 4:
        raise malformed("a log's topics are not a list of at most four")
    return Log(
        address=address(fields.get("address")),
        topics=tuple(hash32(topic) for topic in topics),
        data=bytes.fromhex(_matching(_DATA, fields.get("data"))[2:]),
        log_index=quantity(fields.get("logIndex")),
    )
