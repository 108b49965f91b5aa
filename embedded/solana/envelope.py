"""A transaction as it arrived: its accounts with those of lookup tables, who signs, who is written.

A table is read as it is when the transaction is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solders.account import Account
from solders.instruction import CompiledInstruction
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from consumers.gateways import borsh

MAX_BYTES = 1_232
COMPUTE_BUDGET = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
UNITS_PER_INSTRUCTION = 200_000
MAX_UNITS = 1_400_000
_SET_UNIT_LIMIT = 2
_TABLE_HEADER = 56


class UnknownTable(Exception):
    """A lookup table is not there, or has no such entry."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """`keys` are all accounts in the order that instructions count them: those of the message, then
    those looked up to be written (`looked_up[0]`), then those only read (`looked_up[1]`)."""

    raw: bytes
    transaction: VersionedTransaction
    keys: tuple[Pubkey, ...]
    looked_up: tuple[tuple[Pubkey, ...], tuple[Pubkey, ...]]

    @classmethod
    def open(cls, raw: bytes, account: Callable[[Pubkey], Account | None]) -> Envelope:
        """ValueError when the bytes are no transaction, UnknownTable when a table is missing."""
        transaction = VersionedTransaction.from_bytes(raw)
        if bytes(transaction) != raw:
            raise ValueError("the transaction has bytes after its end")
        transaction.sanitize()
        message = transaction.message
        written: list[Pubkey] = []
        read: list[Pubkey] = []
        for lookup in message.address_table_lookups if isinstance(message, MessageV0) else ():
            listed = _table(account(lookup.account_key))
            written += _entries(listed, bytes(lookup.writable_indexes))
            read += _entries(listed, bytes(lookup.readonly_indexes))
        keys = (*message.account_keys, *written, *read)
        return cls(raw, transaction, keys, (tuple(written), tuple(read)))

    @property
    def message(self) -> Message | MessageV0:
        return self.transaction.message

    @property
    def signature(self) -> str:
        return str(self.transaction.signatures[0])

    @property
    def version(self) -> int | str:
        return 0 if isinstance(self.message, MessageV0) else "legacy"

    def signed(self) -> bool:
        """Whether every signature it needs is there and good."""
        return all(self.transaction.verify_with_results())

    def signs(self, index: int) -> bool:
        return index < int(self.message.header.num_required_signatures)

    def writes(self, index: int) -> bool:
        header, static = self.message.header, len(self.message.account_keys)
        if index >= static:
            return index < static + len(self.looked_up[0])
        if self.signs(index):
            return index < header.num_required_signatures - header.num_readonly_signed_accounts
        return index < static - header.num_readonly_unsigned_accounts

    def written(self) -> list[Pubkey]:
        return [key for index, key in enumerate(self.keys) if self.writes(index)]

    def unit_limit(self) -> int:
        """Compute units that the transaction may use, by its own word or by the default."""
        others = 0
        for each in self.message.instructions:
            if self.keys[each.program_id_index] != COMPUTE_BUDGET:
                others += 1
            elif each.data[:1] == bytes((_SET_UNIT_LIMIT,)):
                return min(borsh.Reader(bytes(each.data), 1).number(4), MAX_UNITS)
        return min(others * UNITS_PER_INSTRUCTION, MAX_UNITS)

    def with_instructions(self, instructions: list[CompiledInstruction]) -> VersionedTransaction:
        """The same signers, accounts and signatures around other instructions."""
        old = self.message
        if isinstance(old, MessageV0):
            tables = old.address_table_lookups
            parts = (old.header, old.account_keys, old.recent_blockhash, instructions, tables)
            message: Message | MessageV0 = MessageV0(*parts)
        else:
            message = Message.new_with_compiled_instructions(
                old.header.num_required_signatures,
                old.header.num_readonly_signed_accounts,
                old.header.num_readonly_unsigned_accounts,
                old.account_keys,
                old.recent_blockhash,
                instructions,
            )
        return VersionedTransaction.populate(message, self.transaction.signatures)


def _table(account: Account | None) -> bytes:
    if account is None or len(account.data) < _TABLE_HEADER:
        raise UnknownTable
    return bytes(account.data)[_TABLE_HEADER:]


def _entries(listed: bytes, indexes: bytes) -> list[Pubkey]:
    if any((index + 1) * 32 > len(listed) for index in indexes):
        raise UnknownTable
    return [Pubkey.from_bytes(listed[index * 32 : (index + 1) * 32]) for index in indexes]
