"""What one endpoint of Solana says; whom to believe is judged in `solana_rpc`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consumers.gateways import solana_json as read
from consumers.gateways.json_rpc import Endpoint
from consumers.gateways.ports import TryAgain
from consumers.gateways.solana_ports import Absence, Commitment, Fate

HISTORY = {"searchTransactionHistory": True}
FINALIZED = {"commitment": "finalized"}


async def heights(node: Endpoint) -> tuple[int, int]:
    commitments: tuple[Commitment, ...] = ("confirmed", "finalized")
    told = [await node.ask("getBlockHeight", [{"commitment": each}]) for each in commitments]
    confirmed, finalized = map(read.integer, told)
    return confirmed, finalized


async def finalized_height(node: Endpoint) -> tuple[int, int]:
    """(height, slot) of one answer. What is looked at next has to be from no earlier slot: one URL
    may have several machines behind it."""
    now = read.record(await node.ask("getEpochInfo", [FINALIZED]))
    return read.integer(now.get("blockHeight")), read.integer(now.get("absoluteSlot"))


async def fates(node: Endpoint, signatures: Sequence[str]) -> tuple[int, dict[str, Fate]]:
    answer = await node.ask("getSignatureStatuses", [signatures, HISTORY])
    return read.fates(answer, signatures)


async def finalized_fate(node: Endpoint, signature: str) -> Fate | None:
    fate = (await fates(node, [signature]))[1].get(signature)
    return fate if fate and fate.commitment == "finalized" else None


async def absence(node: Endpoint, signature: str, last_valid_height: int) -> Absence | None:
    height, slot = await finalized_height(node)
    if height <= last_valid_height:
        return None
    looked_at, known = await fates(node, [signature])
    if known:
        return None
    must_reach(node, looked_at, slot)
    return Absence(signature, height, slot)


async def transaction(node: Endpoint, signature: str) -> Mapping[str, Any] | None:
    """The finalized one; None while there is none."""
    how = {"encoding": "json", "maxSupportedTransactionVersion": 0, **FINALIZED}
    return read.transaction(await node.ask("getTransaction", [signature, how]), signature)


async def accounts(
    node: Endpoint, addresses: Sequence[str], *, from_slot: int = 0
) -> tuple[int, list[read.Account | None]]:
    """The finalized accounts at up to 100 addresses, all at one slot that is not before
    `from_slot`."""
    how = {"encoding": "base64", "minContextSlot": from_slot, **FINALIZED}
    answer = await node.ask("getMultipleAccounts", [list(addresses), how])
    slot, found = read.accounts(answer, len(addresses))
    must_reach(node, slot, from_slot)
    return slot, found


def must_reach(node: Endpoint, looked_at: int, slot: int) -> None:
    if looked_at < slot:
        raise TryAgain(f"{node.name} looked at slot {looked_at}, before {slot}", after_s=2.0)
