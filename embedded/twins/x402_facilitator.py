"""The x402 facilitator: the SDK's real one (PyPI `x402`), with its HTTP side; `providers.md` §5b.

Read in a source (the protocol's specification and the SDK): the paths, the bodies, the reasons,
that a verdict, good or bad, is 200, and all that verifying and settling do. It moves real USDC on
the chain of EVM_RPC_URLS with a test account's ether.

From memory, therefore no proof about any facilitator: 400 with `invalid_payload` for what cannot be
read, 500 with `unexpected_…_error` when the node fails.

Of the SDK as it is: in version 1 a settlement that was broadcast and not mined in time is answered
`transaction_failed` without a hash, in version 2 `settlement_pending` with it.

Effect kind: `payment_settled` {payer, pay_to, nonce, amount, tx_hash}, when a transfer stands in a
block, even if the caller was told "pending" before. With the effect `none` a good settlement is
answered with a hash that is on no chain.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from embedded.twins.wire import Answer, Call

if TYPE_CHECKING:
    from x402 import x402FacilitatorSync

    from embedded.twins.x402_sdk import Transfer

SETTLES_AT_ONCE = 32
CHAIN_ID = 8453


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two questions: how its no is worded."""

    name: str
    no: str
    reason: str
    message: str
    always: tuple[str, ...] = ()

    def refusal(self, status: int, reason: str, message: str = "") -> Answer:
        body: dict[str, object] = {self.no: False, self.reason: reason}
        if message:
            body[self.message] = message
        return Answer.json(status, body | dict.fromkeys(self.always, ""))


VERIFY = Kind("verify", "isValid", "invalidReason", "invalidMessage")
SETTLE = Kind("settle", "success", "errorReason", "errorMessage", ("transaction", "network"))


class X402Facilitator:
    """`POST /verify`, `POST /settle`, `GET /supported`."""

    name = "x402_facilitator"
    base_path = ""

    def __init__(self, rpc_url: str = "", key: str = "", chain_id: int = CHAIN_ID) -> None:
        """Without `rpc_url` every call is answered 500; without `key` (0x and hex) it pays gas with
        the development world's own account."""
        self._rpc_url = rpc_url
        self._key = key
        self._network = f"eip155:{chain_id}"
        self._sdk: x402FacilitatorSync | None = None
        self._loading = threading.Lock()
        self._recording = threading.Lock()
        self._threads = ThreadPoolExecutor(SETTLES_AT_ONCE, "x402")

    async def answer(self, call: Call) -> Answer:
        match call.method, call.path:
            case "POST", "/verify":
                return await self._in_thread(self._judged, VERIFY, call)
            case "POST", "/settle":
                return await self._in_thread(self._judged, SETTLE, call)
            case "GET", "/supported":
                return await self._in_thread(self._supported, call)
        return Answer.json(404, {"error": "Not found"})

    async def _in_thread(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _supported(self, call: Call) -> Answer:
        if not self._rpc_url:
            return Answer.json(500, {"error": "There is no chain here: EVM_RPC_URLS is not set."})
        return Answer.json(200, _spoken(self._facilitator(call).get_supported()))

    def _judged(self, kind: Kind, call: Call) -> Answer:
        unexpected = f"unexpected_{kind.name}_error"
        if not self._rpc_url:
            return kind.refusal(500, unexpected, "There is no chain here: EVM_RPC_URLS is not set.")
        sdk = self._facilitator(call)

        from web3.exceptions import Web3Exception
        from x402.schemas import SchemeNotFoundError

        try:
            return Answer.json(200, self._judgement(kind, sdk, call))
        except SchemeNotFoundError as error:
            known = error.scheme == "exact"
            return kind.refusal(200, "invalid_network" if known else "unsupported_scheme")
        except (OSError, Web3Exception) as error:
            return kind.refusal(500, unexpected, str(error))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return kind.refusal(400, "invalid_payload", f"{type(error).__name__}: {error}")

    def _judgement(self, kind: Kind, sdk: x402FacilitatorSync, call: Call) -> dict[str, Any]:
        from x402.schemas.helpers import parse_payment_payload, parse_payment_requirements

        from embedded.twins.x402_sdk import on_moved

        body = orjson.loads(call.body)
        payload = parse_payment_payload(body["paymentPayload"])
        asked = parse_payment_requirements(payload.x402_version, body["paymentRequirements"])
        if kind is SETTLE and call.performs:
            on_moved.set(partial(self._record, call))
            return _spoken(sdk.settle(payload, asked))
        verdict = _spoken(sdk.verify(payload, asked))
        return verdict if kind is VERIFY else _pretended(verdict, call.body, asked.network)

    def _facilitator(self, call: Call) -> x402FacilitatorSync:
        with self._loading:
            if self._sdk is None:
                from embedded.deploy_plan import contracts
                from embedded.twins.x402_sdk import facilitator

                self._sdk = facilitator(
                    rpc_url=self._rpc_url,
                    key=self._key or contracts()["facilitator_key"],
                    network=self._network,
                    now=call.journal.now,
                )
            return self._sdk

    def _record(self, call: Call, moved: Transfer) -> None:
        details = {"payer": moved.payer, "pay_to": moved.pay_to, "nonce": moved.nonce}
        with self._recording:
            call.record(
                "payment_settled", **details, amount=str(moved.amount), tx_hash=moved.tx_hash
            )


def _spoken(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = answer.model_dump(mode="json", by_alias=True, exclude_none=True)
    return told


def _pretended(verdict: dict[str, Any], body: bytes, network: str) -> dict[str, Any]:
    """What a settlement would be answered if it were one."""
    told = {"payer": verdict.get("payer"), "network": network}
    if not verdict["isValid"]:
        return {"success": False, "errorReason": verdict["invalidReason"], "transaction": ""} | told
    return {"success": True, "transaction": "0x" + sha256(body).hexdigest()} | told
