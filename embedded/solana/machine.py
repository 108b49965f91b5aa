"""The virtual machine: LiteSVM with the programs that this network has.

Built in and real: system, SPL token, token-2022, associated token accounts, memo, address lookup
tables, compute budget. Signatures, blockhashes and repetitions are judged by `chain`, so LiteSVM
does not: it keeps one blockhash only. When a folder with the binaries is given
(SOLANA_PROGRAMS_DIR), Bubblegum and what it calls are real too, else `bubblegum` models them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from consumers.gateways.bubblegum import BUBBLEGUM, COMPRESSION, CORE, NOOP
from embedded.solana import faults, genesis

SYSTEM = Pubkey.default()
NATIVE_LOADER = Pubkey.from_string("NativeLoader1111111111111111111111111111111")
PROGRAM_BYTES = 36

BINARIES = {
    "mpl_bubblegum.so": BUBBLEGUM,
    "mpl_account_compression.so": COMPRESSION,
    "mpl_noop.so": NOOP,
    "mpl_core.so": CORE,
}


@dataclass(frozen=True, slots=True)
class Inner:
    """An instruction that a program called. `height` is 2 for one called by a top-level one."""

    program_index: int
    accounts: tuple[int, ...]
    data: bytes
    height: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What a transaction did. `inner` has a list for every top-level instruction that was reached,
    `returned` the program and bytes of the last return value."""

    fault: faults.TransactionFault | None
    logs: tuple[str, ...]
    inner: tuple[tuple[Inner, ...], ...]
    units: int
    fee: int
    returned: tuple[Pubkey, bytes] | None


class Machine:
    def __init__(self, programs: Path | None = None) -> None:
        svm = LiteSVM().with_sigverify(False).with_blockhash_check(False)
        self._svm = svm.with_transaction_history(0)
        self.has_bubblegum = programs is not None
        if programs is not None:
            for name, program in BINARIES.items():
                self._svm.add_program_from_file(program, str(programs / name))
        else:
            for program in genesis.MODELLED_PROGRAMS:
                stub = bytes(PROGRAM_BYTES)
                lamports = genesis.PROGRAM_LAMPORTS
                self.put(program, Account(lamports, stub, NATIVE_LOADER, True, 0))
        for key, lamports in genesis.balances().items():
            self.put(key, Account(lamports, b"", SYSTEM, False, 0))

    def enter(self, slot: int, unix_time: int) -> None:
        """What programs see as the time from now on."""
        self._svm.warp_to_slot(slot)
        clock = self._svm.get_clock()
        clock.unix_timestamp = unix_time
        self._svm.set_clock(clock)

    def account(self, key: Pubkey) -> Account | None:
        """None when there is none, or one without a lamport, which is the same."""
        found: Account | None = self._svm.get_account(key)
        return found if found and found.lamports else None

    def put(self, key: Pubkey, account: Account) -> None:
        self._svm.set_account(key, account)

    def accounts_of(self, program: Pubkey) -> list[tuple[Pubkey, Account]]:
        owned: list[tuple[Pubkey, Account]] = self._svm.get_program_accounts(program)
        return sorted(owned, key=lambda each: bytes(each[0]))

    def rent(self, size: int) -> int:
        """Lamports that keep an account of `size` bytes alive."""
        return int(self._svm.minimum_balance_for_rent_exemption(size))

    def run(self, transaction: VersionedTransaction) -> Ran:
        return _read(self._svm.send_transaction(transaction))

    def rehearse(self, transaction: VersionedTransaction) -> tuple[Ran, dict[Pubkey, Account]]:
        """What it would do, and how it would leave the accounts that it writes."""
        result = self._svm.simulate_transaction(transaction)
        if isinstance(result, FailedTransactionMetadata):
            return _read(result), {}
        return _read(result.meta()), dict(result.post_accounts())


def _read(result: TransactionMetadata | FailedTransactionMetadata) -> Ran:
    failed = isinstance(result, FailedTransactionMetadata)
    meta = result.meta() if failed else result
    returned = meta.return_data()
    return Ran(
        fault=faults.read(result.err()) if failed else None,
        logs=tuple(meta.logs()),
        inner=tuple(tuple(_inner(each) for each in group) for group in meta.inner_instructions()),
        units=meta.compute_units_consumed(),
        fee=meta.fee(),
        returned=(returned.program_id, bytes(returned.data)) if returned.data else None,
    )


def _inner(told) -> Inner:
    called = told.instruction()
    accounts = tuple(called.accounts)
    return Inner(called.program_id_index, accounts, bytes(called.data), told.stack_height())
