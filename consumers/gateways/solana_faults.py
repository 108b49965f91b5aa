"""What a customer is told to do about a transaction's error: add SOL, wait, or speak to somebody.

Nodes write the error as JSON, the same from a simulation, a preflight and a status. One that names
an instruction means that of its program, so the transaction is looked at too. Who is short of SOL
counts: the wallet can add some, our authority's is for us to see to. What was no answer about the
transaction (a node that is silent or behind) is `TryAgain` and never gets here.
"""

from __future__ import annotations

import base64

import orjson
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from spl.token.constants import ASSOCIATED_TOKEN_PROGRAM_ID as ASSOCIATED

from consumers.gateways.level_ports import FaultClass
from consumers.gateways.solana_tokens import SYSTEM

NO_SOL_FOR_THE_FEE = frozenset({"AccountNotFound", "InsufficientFundsForFee"})
"""The first: an address that never had any."""

PASSING = frozenset(
    {
        "AccountInUse",
        "AlreadyProcessed",
        "BlockhashNotFound",
        "ClusterMaintenance",
        "CommitCancelled",
        "ProgramCacheHitMaxLimit",
        "ResanitizationNeeded",
        "WouldExceedAccountDataBlockLimit",
        "WouldExceedAccountDataTotalLimit",
        "WouldExceedMaxAccountCostLimit",
        "WouldExceedMaxBlockCostLimit",
        "WouldExceedMaxVoteCostLimit",
    }
)
"""The network is full, or has the transaction already, or does not know its blockhash (yet)."""

ACCOUNT_IN_USE, NO_LAMPORTS = 0, 1
"""Of the system program; the token program has a 1 of its own, which means: no token."""


def fault_class(raw: str, error: str, ours: Pubkey) -> FaultClass:
    """`error` as `Fate.error`; `raw` in base64, empty when it is not known (the wallet's own).
    `ours` is the authority's address."""
    try:
        told = orjson.loads(error)
    except orjson.JSONDecodeError:
        return "SUPPORT"
    sent = VersionedTransaction.from_bytes(base64.b64decode(raw)) if raw else None
    payer = sent.message.account_keys[0] if sent else None
    match told:
        case str(name) if name in PASSING:
            return "RETRYING"
        case str(name) if name in NO_SOL_FOR_THE_FEE:
            return _short_of_sol(payer, ours)
        case {"ProgramExecutionTemporarilyRestricted": _}:
            return "RETRYING"
        case {"InsufficientFundsForRent": {"account_index": 0}}:
            return _short_of_sol(payer, ours)
        case {"InstructionError": [int(at), {"Custom": int(code)}]} if sent:
            return _of_instruction(sent, at, code, ours)
    return "SUPPORT"


def _of_instruction(sent: VersionedTransaction, at: int, code: int, ours: Pubkey) -> FaultClass:
    keys, instructions = sent.message.account_keys, sent.message.instructions
    if at >= len(instructions):
        return "SUPPORT"
    program, used = keys[instructions[at].program_id_index], bytes(instructions[at].accounts)
    if program == SYSTEM and code == ACCOUNT_IN_USE:
        return "RETRYING"  # the mint is there: it landed before, and will be found
    if program in (SYSTEM, ASSOCIATED) and code == NO_LAMPORTS:
        return _short_of_sol(keys[used[0]], ours)
    return "SUPPORT"


def _short_of_sol(who: Pubkey | None, ours: Pubkey) -> FaultClass:
    return "SUPPORT" if who == ours else "ADD_SOL"
