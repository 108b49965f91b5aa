"""A transaction that landed, as `getTransaction` tells it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solders.instruction import CompiledInstruction
from solders.pubkey import Pubkey

from consumers.gateways import base58
from embedded.solana import tokens
from embedded.solana.envelope import Envelope
from embedded.solana.machine import Machine, Ran

MEMOS = frozenset(
    Pubkey.from_string(key)
    for key in (
        "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
        "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo",
    )
)


@dataclass(frozen=True, slots=True)
class Balances:
    """Of a transaction's accounts, at one moment."""

    lamports: tuple[int, ...]
    tokens: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, machine: Machine, keys: Sequence[Pubkey]) -> Balances:
        found = [machine.account(key) for key in keys]
        held = []
        for index, account in enumerate(found):
            holding = tokens.holding(account)
            mint = tokens.mint(machine.account(holding.mint)) if holding else None
            if account and holding and mint:
                told = {
                    "accountIndex": index,
                    "mint": str(holding.mint),
                    "owner": str(holding.owner),
                    "programId": str(account.owner),
                    "uiTokenAmount": tokens.amount(holding.amount, mint.decimals),
                }
                held.append(told)
        return cls(tuple(each.lamports if each else 0 for each in found), tuple(held))


@dataclass(frozen=True, slots=True)
class Landed:
    """`at` in unix seconds."""

    envelope: Envelope
    slot: int
    at: int
    ran: Ran
    before: Balances
    after: Balances

    @property
    def signature(self) -> str:
        return self.envelope.signature

    def status(self) -> dict[str, Any]:
        return {"Ok": None} if self.ran.fault is None else {"Err": self.ran.fault}

    def memo(self) -> str | None:
        """As `getSignaturesForAddress` tells it: each memo after its length in bytes. That what is
        no text is told as "(unparseable)" is from memory of the node's own code."""
        message, keys = self.envelope.message, self.envelope.keys
        said = [
            f"[{len(each.data)}] {_text(bytes(each.data))}"
            for each in message.instructions
            if keys[each.program_id_index] in MEMOS
        ]
        return "; ".join(said) or None

    def meta(self) -> dict[str, Any]:
        ran, (written, read) = self.ran, self.envelope.looked_up
        return {
            "err": ran.fault,
            "status": self.status(),
            "fee": ran.fee,
            "preBalances": list(self.before.lamports),
            "postBalances": list(self.after.lamports),
            "preTokenBalances": list(self.before.tokens),
            "postTokenBalances": list(self.after.tokens),
            "innerInstructions": inner_instructions(ran),
            "logMessages": list(ran.logs),
            "rewards": [],
            "loadedAddresses": {
                "writable": [str(key) for key in written],
                "readonly": [str(key) for key in read],
            },
            "computeUnitsConsumed": ran.units,
            **({"returnData": return_data(ran)} if ran.returned else {}),
        }

    def transaction(self, encoding: str) -> dict[str, Any] | list[str]:
        """In `json`, `base64` or `base58`."""
        raw = self.envelope.raw
        if encoding == "base64":
            return [b64encode(raw).decode(), encoding]
        if encoding == "base58":
            return [base58.encode(raw), encoding]
        signatures = [str(each) for each in self.envelope.transaction.signatures]
        return {"signatures": signatures, "message": self._message()}

    def _message(self) -> dict[str, Any]:
        message = self.envelope.message
        header = message.header
        told: dict[str, Any] = {
            "header": {
                "numRequiredSignatures": header.num_required_signatures,
                "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
                "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
            },
            "accountKeys": [str(key) for key in message.account_keys],
            "recentBlockhash": str(message.recent_blockhash),
            "instructions": [_instruction(each) for each in message.instructions],
        }
        if self.envelope.version == 0:
            told["addressTableLookups"] = [
                {
                    "accountKey": str(each.account_key),
                    "writableIndexes": list(bytes(each.writable_indexes)),
                    "readonlyIndexes": list(bytes(each.readonly_indexes)),
                }
                for each in message.address_table_lookups
            ]
        return told


def _text(memo: bytes) -> str:
    try:
        return memo.decode()
    except UnicodeDecodeError:
        return "(unparseable)"


def inner_instructions(ran: Ran) -> list[dict[str, Any]]:
    """Of the top-level instructions that called others."""
    return [
        {
            "index": index,
            "instructions": [
                {
                    "programIdIndex": each.program_index,
                    "accounts": list(each.accounts),
                    "data": base58.encode(each.data),
                    "stackHeight": each.height,
                }
                for each in group
            ],
        }
        for index, group in enumerate(ran.inner)
        if group
    ]


def return_data(ran: Ran) -> dict[str, Any] | None:
    if ran.returned is None:
        return None
    program, content = ran.returned
    return {"programId": str(program), "data": [b64encode(content).decode(), "base64"]}


def _instruction(told: CompiledInstruction) -> dict[str, Any]:
    return {
        "programIdIndex": told.program_id_index,
        "accounts": list(bytes(told.accounts)),
        "data": base58.encode(bytes(told.data)),
        "stackHeight": None,
    }
