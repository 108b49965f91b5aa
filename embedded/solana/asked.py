"""What a JSON-RPC call asks for: its parameters, read and checked."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solders.errors import BincodeError
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import SanitizeError

from consumers.gateways import base58
from embedded.solana.chain import Chain
from embedded.solana.envelope import MAX_BYTES, Envelope, UnknownTable
from embedded.solana.faults import (
    INVALID_PARAMS,
    MIN_CONTEXT_SLOT,
    RpcFault,
    invalid,
    sentence,
)
from embedded.solana.slots import COMMITMENTS, Commitment

API_VERSION = "2.3.0"
_ENCODED_MAX = {"base58": 1_683, "base64": 1_644}


@dataclass(frozen=True, slots=True)
class Asked:
    """`values` are positional parameters. The last of them may be an object of options."""

    chain: Chain
    values: list[Any]
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, chain: Chain, params: object) -> Asked:
        if params is None:
            params = []
        if isinstance(params, dict):  # DAS names its parameters
            return cls(chain, [params], params)
        if not isinstance(params, list):
            raise invalid("expected an array")
        options = next((each for each in reversed(params) if isinstance(each, dict)), {})
        named = {name: value for name, value in options.items() if value is not None}
        return cls(chain, params, named)

    def text(self, at: int) -> str:
        if at >= len(self.values) or not isinstance(self.values[at], str):
            raise invalid(f"expected a string at position {at}")
        return str(self.values[at])

    def number(self, at: int) -> int:
        if at >= len(self.values) or type(self.values[at]) is not int or self.values[at] < 0:
            raise invalid(f"expected a number at position {at}")
        return int(self.values[at])

    def texts(self, at: int, at_most: int) -> list[str]:
        found = self.values[at] if at < len(self.values) else None
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise invalid(f"expected an array of strings at position {at}")
        if len(found) > at_most:
            raise RpcFault(INVALID_PARAMS, f"Too many inputs provided; max {at_most}")
        return found

    def key(self, at: int) -> Pubkey:
        return key(self.text(at))

    def signature(self, at: int) -> str:
        return signature(self.text(at))

    @property
    def commitment(self) -> Commitment:
        return commitment(self.options.get("commitment"))

    @property
    def confirmed(self) -> Commitment:
        """For what no node tells before it is confirmed."""
        if self.commitment == "processed":
            told = "Method does not support commitment below `confirmed`"
            raise RpcFault(INVALID_PARAMS, told)
        return self.commitment

    def context_slot(self, at: Commitment | None = None) -> int:
        """The newest slot at the commitment; a fault when the caller knows of a newer one."""
        slot = self.chain.slots.tip(at or self.commitment)
        least = self.options.get("minContextSlot")
        if isinstance(least, int) and slot < least:
            told = "Minimum context slot has not been reached"
            raise RpcFault(MIN_CONTEXT_SLOT, told, {"contextSlot": slot})
        return slot

    def context(self, value: object) -> dict[str, Any]:
        return {
            "context": {"apiVersion": API_VERSION, "slot": self.context_slot()},
            "value": value,
        }

    def envelope(self, at: int) -> Envelope:
        encoding = self.options.get("encoding", "base58")
        if encoding not in _ENCODED_MAX:
            raise invalid(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
        text, most = self.text(at), _ENCODED_MAX[encoding]
        name = "solana_transaction::versioned::VersionedTransaction"
        if len(text) > most:
            sizes = f"{len(text)} bytes (max: encoded/raw {most}/{MAX_BYTES})"
            raise RpcFault(INVALID_PARAMS, f"{encoding} encoded {name} too large: {sizes}")
        raw = _decoded(text, encoding)
        if len(raw) > MAX_BYTES:
            sizes = f"{len(raw)} bytes (max: {MAX_BYTES} bytes)"
            raise RpcFault(INVALID_PARAMS, f"decoded {name} too large: {sizes}")
        try:
            return self.chain.open(raw)
        except UnknownTable:
            told = f"invalid transaction: {sentence('AddressLookupTableNotFound')}"
            raise RpcFault(INVALID_PARAMS, told) from None
        except (ValueError, BincodeError, SanitizeError) as error:
            raise RpcFault(INVALID_PARAMS, f"failed to deserialize {name}: {error}") from error


def commitment(value: object) -> Commitment:
    if value is None:
        return "finalized"
    for known in COMMITMENTS:
        if value == known:
            return known
    raise invalid(f"unknown variant `{value}`, expected one of {', '.join(COMMITMENTS)}")


def key(text: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError:
        raise RpcFault(INVALID_PARAMS, "Invalid param: Invalid") from None


def signature(text: str) -> str:
    try:
        return str(Signature.from_string(text))
    except ValueError:
        raise RpcFault(INVALID_PARAMS, "Invalid param: Invalid") from None


def _decoded(text: str, encoding: str) -> bytes:
    try:
        return b64decode(text, validate=True) if encoding == "base64" else base58.decode(text)
    except ValueError as error:
        raise RpcFault(INVALID_PARAMS, f"invalid {encoding} encoding: {error}") from None
