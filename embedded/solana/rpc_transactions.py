"""JSON-RPC: sending, simulating and finding transactions."""

from __future__ import annotations

from typing import Any

from embedded.solana import asked as reading
from embedded.solana import slots
from embedded.solana.asked import Asked
from embedded.solana.envelope import Envelope
from embedded.solana.faults import (
    BAD_SIGNATURE,
    INVALID_PARAMS,
    PREFLIGHT_FAILED,
    UNSUPPORTED_VERSION,
    RpcFault,
    TransactionFault,
    invalid,
    sentence,
)
from embedded.solana.receipts import Landed, inner_instructions, return_data
from embedded.solana.rpc_accounts import told as told_account
from embedded.solana.rpc_cluster import told_blockhash
from embedded.solana.slots import Commitment

STATUS_CACHE_SLOTS = 300  # what a node knows without searching its history
MAX_STATUSES = 256
MAX_SIGNATURES = 1_000
ENCODINGS = ("json", "base64", "base58")


def send_transaction(asked: Asked) -> str:
    """The signature, which promises nothing. Preflight judges the newest state, with the blockhash
    that the asked commitment knows; without it, what cannot land is lost without a word."""
    envelope = asked.envelope(0)
    if not asked.options.get("skipPreflight"):
        known_at = reading.commitment(asked.options.get("preflightCommitment"))
        asked.context_slot(known_at)
        if not envelope.signed():
            raise RpcFault(BAD_SIGNATURE, "Transaction signature verification failure")
        outcome = _simulated(asked, envelope, known_at)
        if outcome["err"] is not None:
            told = f"Transaction simulation failed: {sentence(outcome['err'])}"
            raise RpcFault(PREFLIGHT_FAILED, told, outcome)
    asked.chain.submit(envelope)
    return envelope.signature


def simulate_transaction(asked: Asked) -> dict[str, Any]:
    envelope, replaces = asked.envelope(0), asked.options.get("replaceRecentBlockhash")
    if asked.options.get("sigVerify"):
        if replaces:
            told = "sigVerify may not be used with replaceRecentBlockhash"
            raise RpcFault(INVALID_PARAMS, told)
        if not envelope.signed():
            raise RpcFault(BAD_SIGNATURE, "Transaction signature verification failure")
    outcome = _simulated(asked, envelope, None if replaces else asked.commitment)
    if replaces:
        outcome["replacementBlockhash"] = told_blockhash(asked.context_slot())
    return asked.context(outcome)


def _simulated(asked: Asked, envelope: Envelope, known_at: Commitment | None) -> dict[str, Any]:
    """RpcSimulateTransactionResult; `known_at` None means that any blockhash is good."""
    early = _unfit(asked, envelope, known_at)
    ran, left = (None, {}) if early else asked.chain.rehearse(envelope)
    wanted = asked.options.get("accounts")
    shown = None
    if isinstance(wanted, dict) and ran and ran.fault is None:
        options = {"encoding": wanted.get("encoding", "base64")}
        keys = [reading.key(text) for text in wanted.get("addresses", ())]
        found = [left.get(key) or asked.chain.machine.account(key) for key in keys]
        shown = [told_account(asked.chain, each, options) for each in found]
    calls = inner_instructions(ran) if ran and asked.options.get("innerInstructions") else None
    return {
        "err": early or (ran.fault if ran else None),
        "logs": list(ran.logs) if ran else [],
        "accounts": shown,
        "unitsConsumed": ran.units if ran else 0,
        "returnData": return_data(ran) if ran else None,
        "innerInstructions": calls,
    }


def _unfit(
    asked: Asked, envelope: Envelope, known_at: Commitment | None
) -> TransactionFault | None:
    recent = envelope.message.recent_blockhash
    if known_at and asked.chain.slots.slot_of_blockhash(recent, known_at) is None:
        return "BlockhashNotFound"
    return "AlreadyProcessed" if asked.chain.find(envelope.signature) else None


def signature_statuses(asked: Asked) -> dict[str, Any]:
    wanted = [reading.signature(text) for text in asked.texts(0, MAX_STATUSES)]
    searched = bool(asked.options.get("searchTransactionHistory"))
    return {
        "context": asked.context(None)["context"] | {"slot": asked.chain.slots.tip()},
        "value": [_status(asked, each, searched) for each in wanted],
    }


def _status(asked: Asked, signature: str, searched: bool) -> dict[str, Any] | None:
    landed, times = asked.chain.find(signature), asked.chain.slots
    if landed is None or (not searched and landed.slot <= times.tip() - STATUS_CACHE_SLOTS):
        return None
    reached = times.commitment_of(landed.slot)
    depth = slots.height(times.tip()) - slots.height(landed.slot)
    return {
        "slot": landed.slot,
        "confirmations": None if reached == "finalized" else depth,
        "err": landed.ran.fault,
        "status": landed.status(),
        "confirmationStatus": reached,
    }


def transaction(asked: Asked) -> dict[str, Any] | None:
    options = asked.options
    if len(asked.values) > 1 and isinstance(asked.values[1], str):  # as clients once asked
        options = {"encoding": asked.values[1]}
    encoding = options.get("encoding", "json")
    if encoding not in ENCODINGS:
        raise invalid(f"unknown variant `{encoding}`, expected one of {', '.join(ENCODINGS)}")
    landed = asked.chain.find(asked.signature(0))
    if landed is None or landed.slot > asked.chain.slots.tip(asked.confirmed):
        return None
    newest = options.get("maxSupportedTransactionVersion")
    version = landed.envelope.version
    if version != "legacy" and newest is None:
        raise RpcFault(
            UNSUPPORTED_VERSION,
            f"Transaction version ({version}) is not supported by the requesting client. "
            "Please try the request again with the following configuration parameter: "
            f'"maxSupportedTransactionVersion": {version}',
        )
    return {
        "slot": landed.slot,
        "blockTime": landed.at,
        "transaction": landed.transaction(encoding),
        "meta": landed.meta(),
        **({} if newest is None else {"version": version}),
    }


def signatures_for_address(asked: Asked) -> list[dict[str, Any]]:
    limit = asked.options.get("limit", MAX_SIGNATURES)
    if type(limit) is not int or not 0 < limit <= MAX_SIGNATURES:
        raise RpcFault(INVALID_PARAMS, f"Invalid limit; max {MAX_SIGNATURES}")
    newest = asked.context_slot(asked.confirmed)
    found: list[Landed] = [each for each in asked.chain.about(asked.key(0)) if each.slot <= newest]
    found.reverse()
    before, until = asked.options.get("before"), asked.options.get("until")
    if before is not None:
        found = found[_place(found, reading.signature(before)) + 1 :]
    if until is not None:
        found = found[: _place(found, reading.signature(until))]
    return [_summary(asked, each) for each in found[:limit]]


def _place(found: list[Landed], signature: str) -> int:
    """Past the end when it is not among them."""
    places = (at for at, each in enumerate(found) if each.signature == signature)
    return next(places, len(found))


def _summary(asked: Asked, landed: Landed) -> dict[str, Any]:
    return {
        "signature": landed.signature,
        "slot": landed.slot,
        "err": landed.ran.fault,
        "memo": landed.memo(),
        "blockTime": landed.at,
        "confirmationStatus": asked.chain.slots.commitment_of(landed.slot),
    }


def request_airdrop(asked: Asked) -> str:
    return asked.chain.airdrop(asked.key(0), asked.number(1))


METHODS = {
    "sendTransaction": send_transaction,
    "simulateTransaction": simulate_transaction,
    "getSignatureStatuses": signature_statuses,
    "getTransaction": transaction,
    "getSignaturesForAddress": signatures_for_address,
    "requestAirdrop": request_airdrop,
}
