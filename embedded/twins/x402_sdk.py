"""The x402 SDK's own facilitator on our chain; imported when it is first asked, as it takes 1.4 s.

The SDK is synchronous: its calls belong in threads. Three things are ours: the clock, the nonces of
its account, and that whoever settles is told (`on_moved`) once the transfer stands in a block.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock, Thread
from typing import Any

import stamina
from eth_typing import HexStr
from web3.exceptions import TimeExhausted
from x402 import x402FacilitatorSync
from x402.mechanisms.evm import FacilitatorWeb3Signer
from x402.mechanisms.evm.exact import facilitator as exact
from x402.mechanisms.evm.exact import permit2_utils, register_exact_evm_facilitator
from x402.mechanisms.evm.exact.v1 import facilitator as exact_v1
from x402.mechanisms.evm.types import TransactionReceipt

RECEIPT_WITHIN_S = 5.0
"""After it the SDK says `settlement_pending`; well below the time-out of anybody who asks."""

WATCHED_FOR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Stands for the module `time` in the SDK."""

    now: Callable[[], datetime]

    def time(self) -> float:
        return self.now().timestamp()


@dataclass(frozen=True, slots=True)
class Transfer:
    """An authorization as it was broadcast: addresses, nonce and hash in lower case hex."""

    payer: str
    pay_to: str
    amount: int
    nonce: str
    tx_hash: str


on_moved: ContextVar[Callable[[Transfer], None]] = ContextVar("on_moved")
"""Told, from any thread, when the transfer that the current call broadcasts stands in a block."""


class Signer(FacilitatorWeb3Signer):
    """The SDK's signer, which reports what moved and is not confused by a chain that forgets."""

    def __init__(self, key: str, rpc_url: str) -> None:
        super().__init__(key, rpc_url, confirmation_timeout_seconds=RECEIPT_WITHIN_S)
        self._sent: dict[str, Callable[[], None]] = {}
        self._sending = Lock()

    def write_contract(
        self, address: str, abi: Any, function_name: str, *args: Any, data_suffix: str | None = None
    ) -> str:
        with self._sending:
            # The SDK counts on by itself, and would wait for ever after a reorganisation.
            self._next_nonce = None
            tx_hash: str = super().write_contract(
                address, abi, function_name, *args, data_suffix=data_suffix
            )
            payer, pay_to, amount, _, _, nonce, *_ = args
            transfer = Transfer(
                payer.lower(), pay_to.lower(), amount, "0x" + bytes(nonce).hex(), tx_hash
            )
            self._sent[tx_hash] = partial(on_moved.get(), transfer)
        return tx_hash

    def wait_for_transaction_receipt(self, tx_hash: str) -> TransactionReceipt:
        try:
            receipt = super().wait_for_transaction_receipt(tx_hash)
        except TimeExhausted:
            Thread(target=self._watch, args=(tx_hash,), daemon=True).start()
            raise
        self._mined(tx_hash, receipt.status == 1)
        return receipt

    def _watch(self, tx_hash: str) -> None:
        """The caller was told "pending"; whether the money moves is known later."""
        while_it_may = stamina.retry_context(
            on=(OSError, TimeExhausted), attempts=None, timeout=WATCHED_FOR_S
        )
        for attempt in while_it_may:
            with attempt:
                receipt = self._w3.eth.wait_for_transaction_receipt(HexStr(tx_hash), timeout=60)
        self._mined(tx_hash, receipt["status"] == 1)

    def _mined(self, tx_hash: str, succeeded: bool) -> None:
        with self._sending:
            tell = self._sent.pop(tx_hash, None)
        if tell is not None and succeeded:
            tell()


def facilitator(
    *, rpc_url: str, key: str, network: str, now: Callable[[], datetime]
) -> x402FacilitatorSync:
    """The SDK's facilitator for `network` (CAIP-2) in version 2 and every network of version 1."""
    # The SDK has no seam for the time: the modules that judge by it are given another `time`.
    for module in (exact, exact_v1, permit2_utils):
        module.time = Clock(now)  # type: ignore[attr-defined]
    made = x402FacilitatorSync()
    register_exact_evm_facilitator(made, Signer(key, rpc_url), networks=network)
    return made
