"""How a node says no: JSON-RPC errors, and a transaction's failure as JSON and as a sentence.

The sentences are those of Solana's own error types, because clients show and match them.
"""

from __future__ import annotations

import re
from typing import Any

from solders.transaction_status import InstructionErrorCustom, TransactionErrorInstructionError

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
PREFLIGHT_FAILED = -32002
BAD_SIGNATURE = -32003
BLOCK_NOT_AVAILABLE = -32004
SLOT_SKIPPED = -32007
UNSUPPORTED_VERSION = -32015
MIN_CONTEXT_SLOT = -32016
DAS_NOT_FOUND = -32000

TransactionFault = str | dict[str, Any]

_OF_TRANSACTION = {
    "AccountInUse": "Account in use",
    "AccountLoadedTwice": "Account loaded twice",
    "AccountNotFound": "Attempt to debit an account but found no record of a prior credit.",
    "ProgramAccountNotFound": "Attempt to load a program that does not exist",
    "InsufficientFundsForFee": "Insufficient funds for fee",
    "InvalidAccountForFee": "This account may not be used to pay transaction fees",
    "AlreadyProcessed": "This transaction has already been processed",
    "BlockhashNotFound": "Blockhash not found",
    "InvalidAccountIndex": "Transaction contains an invalid account reference",
    "SignatureFailure": "Transaction did not pass signature verification",
    "InvalidProgramForExecution": "This program may not be used for executing instructions",
    "SanitizeFailure": "Transaction failed to sanitize accounts offsets correctly",
    "InvalidWritableAccount": "Transaction loads a writable account that cannot be written",
    "TooManyAccountLocks": "Transaction locked too many accounts",
    "AddressLookupTableNotFound": "Transaction loads an address table account that doesn't exist",
    "InvalidAddressLookupTableOwner": (
        "Transaction loads an address table account with an invalid owner"
    ),
    "InvalidAddressLookupTableData": (
        "Transaction loads an address table account with invalid data"
    ),
    "InvalidAddressLookupTableIndex": "Transaction address table lookup uses an invalid index",
    "InvalidRentPayingAccount": (
        "Transaction leaves an account with a lower balance than rent-exempt minimum"
    ),
}

_OF_INSTRUCTION = {
    "GenericError": "generic instruction error",
    "InvalidArgument": "invalid program argument",
    "InvalidInstructionData": "invalid instruction data",
    "InvalidAccountData": "invalid account data for instruction",
    "AccountDataTooSmall": "account data too small for instruction",
    "InsufficientFunds": "insufficient funds for instruction",
    "IncorrectProgramId": "incorrect program id for instruction",
    "MissingRequiredSignature": "missing required signature for instruction",
    "AccountAlreadyInitialized": "instruction requires an uninitialized account",
    "UninitializedAccount": "instruction requires an initialized account",
    "UnbalancedInstruction": ("sum of account balances before and after instruction do not match"),
    "ModifiedProgramId": "instruction illegally modified the program id of an account",
    "ExternalAccountLamportSpend": (
        "instruction spent from the balance of an account it does not own"
    ),
    "ExternalAccountDataModified": "instruction modified data of an account it does not own",
    "ReadonlyLamportChange": "instruction changed the balance of a read-only account",
    "ReadonlyDataModified": "instruction modified data of a read-only account",
    "NotEnoughAccountKeys": "insufficient account keys for instruction",
    "UnsupportedProgramId": "Unsupported program id",
    "CallDepth": "Cross-program invocation call depth too deep",
    "MissingAccount": "An account required by the instruction is missing",
    "InvalidSeeds": "Provided seeds do not result in a valid address",
    "ComputationalBudgetExceeded": "Computational budget exceeded",
    "PrivilegeEscalation": (
        "Cross-program invocation with unauthorized signer or writable account"
    ),
    "ProgramFailedToComplete": "Program failed to complete",
    "IncorrectAuthority": "Incorrect authority provided",
    "AccountNotRentExempt": "An account does not have enough lamports to be rent-exempt",
    "InvalidAccountOwner": "Invalid account owner",
    "ArithmeticOverflow": "Program arithmetic overflowed",
    "IllegalOwner": "Provided owner is not allowed",
}


class RpcFault(Exception):
    """Answered as JSON-RPC's `error`."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def told(self) -> dict[str, Any]:
        known = {} if self.data is None else {"data": self.data}
        return {"code": self.code, "message": self.message, **known}


def invalid(message: str) -> RpcFault:
    return RpcFault(INVALID_PARAMS, f"Invalid params: {message}.")


def read(error: object) -> TransactionFault:
    """What LiteSVM says of a failed transaction, as a node writes it."""
    if isinstance(error, TransactionErrorInstructionError):
        inner = error.err
        code = {"Custom": inner.code} if isinstance(inner, InstructionErrorCustom) else _name(inner)
        return {"InstructionError": [error.index, code]}
    for field in ("account_index", "index"):
        if hasattr(error, field):
            return {_name(error): {field: getattr(error, field)}}
    return _name(error)


def custom(index: int, code: int) -> TransactionFault:
    return {"InstructionError": [index, {"Custom": code}]}


def sentence(fault: TransactionFault) -> str:
    """As Solana displays it: "Error processing Instruction 0: custom program error: 0x1"."""
    if isinstance(fault, str):
        return _OF_TRANSACTION.get(fault, fault)
    ((name, told),) = fault.items()
    if name == "InstructionError":
        index, inner = told
        return f"Error processing Instruction {index}: {of_instruction(inner)}"
    if name == "InsufficientFundsForRent":
        index = told["account_index"]
        return f"Transaction results in an account ({index}) with insufficient funds for rent"
    return str(name)


def of_instruction(inner: str | dict[str, int]) -> str:
    if isinstance(inner, dict):
        return f"custom program error: {inner['Custom']:#x}"
    return _OF_INSTRUCTION.get(inner, inner)


def _name(error: object) -> str:
    """`InstructionErrorFieldless.InvalidArgument` is InvalidArgument, as is a class of its own."""
    text = str(error)
    if re.fullmatch(r"\w+\.\w+", text):
        return text.rpartition(".")[2]
    return re.sub(r"^(Transaction|Instruction)Error", "", type(error).__name__)
