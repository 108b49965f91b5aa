"""JSON-RPC: the network itself, its slots, blockhashes and fees."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from solders.hash import Hash
from solders.message import from_bytes_versioned
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from embedded.solana import slots
from embedded.solana.asked import API_VERSION, Asked
from embedded.solana.faults import BLOCK_NOT_AVAILABLE, INVALID_PARAMS, SLOT_SKIPPED, RpcFault

FEATURE_SET = 3_640_012_085

# Micro-lamports a compute unit, as Helius names the levels.
PRIORITY_LEVELS = {
    "min": 0.0,
    "low": 1_000.0,
    "medium": 10_000.0,
    "high": 100_000.0,
    "veryHigh": 1_000_000.0,
    "unsafeMax": 10_000_000.0,
}


def health(asked: Asked) -> str:
    return "ok"


def version(asked: Asked) -> dict[str, Any]:
    return {"solana-core": API_VERSION, "feature-set": FEATURE_SET}


def genesis_hash(asked: Asked) -> str:
    return str(slots.genesis_hash())


def slot(asked: Asked) -> int:
    return asked.context_slot()


def block_height(asked: Asked) -> int:
    return slots.height(asked.context_slot())


def block_time(asked: Asked) -> int:
    wanted = asked.number(0)
    if wanted > asked.chain.slots.tip():
        raise RpcFault(BLOCK_NOT_AVAILABLE, f"Block not available for slot {wanted}")
    if slots.skipped(wanted):
        told = f"Slot {wanted} was skipped, or missing due to ledger jump to recent snapshot"
        raise RpcFault(SLOT_SKIPPED, told)
    return asked.chain.slots.time_of(wanted)


def epoch_info(asked: Asked) -> dict[str, Any]:
    current = asked.context_slot()
    return {
        "absoluteSlot": current,
        "blockHeight": slots.height(current),
        "epoch": current // slots.EPOCH_SLOTS,
        "slotIndex": current % slots.EPOCH_SLOTS,
        "slotsInEpoch": slots.EPOCH_SLOTS,
        "transactionCount": len(asked.chain.landed),
    }


def latest_blockhash(asked: Asked) -> dict[str, Any]:
    return asked.context(told_blockhash(asked.context_slot()))


def told_blockhash(of_slot: int) -> dict[str, Any]:
    recent = str(slots.blockhash(of_slot))
    return {"blockhash": recent, "lastValidBlockHeight": slots.last_valid_height(of_slot)}


def is_blockhash_valid(asked: Asked) -> dict[str, Any]:
    try:
        wanted = Hash.from_string(asked.text(0))
    except ValueError:
        raise RpcFault(INVALID_PARAMS, "Invalid param: Invalid") from None
    known = asked.chain.slots.slot_of_blockhash(wanted, asked.commitment)
    return asked.context(known is not None)


def fee_for_message(asked: Asked) -> dict[str, Any]:
    """Null when the blockhash is not known."""
    try:
        message = from_bytes_versioned(b64decode(asked.text(0), validate=True))
    except ValueError as error:
        raise RpcFault(INVALID_PARAMS, f"invalid base64 encoding: {error}") from None
    recent = message.recent_blockhash
    if asked.chain.slots.slot_of_blockhash(recent, asked.commitment) is None:
        return asked.context(None)
    unsigned = [Signature.default()] * message.header.num_required_signatures
    envelope = asked.chain.open(bytes(VersionedTransaction.populate(message, unsigned)))
    ran, _ = asked.chain.rehearse(envelope)
    return asked.context(ran.fee)


def rent_exemption(asked: Asked) -> int:
    return asked.chain.machine.rent(asked.number(0))


def prioritization_fees(asked: Asked) -> list[dict[str, int]]:
    newest = asked.chain.slots.tip()
    recent = range(newest - slots.BLOCKHASH_LIFETIME + 1, newest + 1)
    return [{"slot": each, "prioritizationFee": 0} for each in recent]


def priority_fee_estimate(asked: Asked) -> dict[str, Any]:
    """Helius' own: a quiet network, whose levels never change."""
    options = asked.options.get("options") or {}
    if options.get("includeAllPriorityFeeLevels"):
        return {"priorityFeeLevels": PRIORITY_LEVELS}
    levels = {name.lower(): fee for name, fee in PRIORITY_LEVELS.items()}
    wanted = str(options.get("priorityLevel", "medium")).lower()
    if wanted not in levels:
        raise RpcFault(INVALID_PARAMS, f"unknown priority level {wanted}")
    return {"priorityFeeEstimate": levels[wanted]}


METHODS = {
    "getHealth": health,
    "getVersion": version,
    "getGenesisHash": genesis_hash,
    "getSlot": slot,
    "getBlockHeight": block_height,
    "getBlockTime": block_time,
    "getEpochInfo": epoch_info,
    "getLatestBlockhash": latest_blockhash,
    "isBlockhashValid": is_blockhash_valid,
    "getFeeForMessage": fee_for_message,
    "getMinimumBalanceForRentExemption": rent_exemption,
    "getRecentPrioritizationFees": prioritization_fees,
    "getPriorityFeeEstimate": priority_fee_estimate,
}
