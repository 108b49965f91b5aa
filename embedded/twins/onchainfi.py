"""OnchainFi, an aggregator of x402 facilitators; spec `providers.md` §5a.

Read in a source (copies of its documentation, the seed's code, a live test log): the paths, the
header `X-API-Key`, the bodies of `/verify` and `/settle` and of their answers, that `paymentId` is
required, that the old body with `network` is 400, and the error body `{status, message}`.

From memory or made up, therefore no proof about the vendor: every `reason` (x402's own are passed
on), the form of "still pending", what a second settle of a `paymentId` answers, the sentence of
401, how `paymentId` looks, and the answers of `/supported` and `/facilitators`.

It stands in front of an x402 facilitator, which it asks over HTTP in version 2: only there a
settlement that is not mined in time keeps its hash. When that one fails, 502. Any key is good.
`POST /_twin/behaviour {repeat, pending}`: `repeat` says what a second settle of a payment that was
settled answers: "hash" (default) the old hash again, "error" whatever the facilitator says then;
the next `pending` settles are carried out and answered as still pending. `/_twin/reset` forgets it.

Effect kind: `payment_settled` {payer, nonce, amount, tx_hash, payment_id}, when the facilitator
said so. With the effect `none` a settlement is answered with a hash that is on no chain.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from embedded.twins.script import parse
from embedded.twins.wire import Answer, Call

NETWORKS = {"base": "eip155:8453"}
USDC = {"base": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"}
DECIMALS = 6
FACILITATOR = "x402"
PENDING = "settlement_pending"
UPSTREAM_WITHIN_S = 25.0

SIGNED = ("from", "to", "value", "validAfter", "validBefore", "nonce")
Priority = Literal["balanced", "speed", "cost", "reliability"]


class Route(BaseModel):
    """What both calls say. Unknown fields are refused, the old `network` among them."""

    model_config = ConfigDict(strict=True, extra="forbid")

    paymentHeader: str = Field(min_length=1)
    sourceNetwork: str
    destinationNetwork: str
    priority: Priority = "balanced"


class Verify(Route):
    expectedAmount: str = Field(pattern=r"^\d{1,20}(\.\d{1,6})?$")
    expectedToken: str
    recipientAddress: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    finalRecipient: str | None = None


class Settle(Route):
    paymentId: str = Field(min_length=1)


class Behaviour(BaseModel):
    """What is left out is as it was."""

    model_config = ConfigDict(strict=True, extra="forbid")

    repeat: Literal["hash", "error"] | None = None
    pending: int | None = Field(default=None, ge=0, le=100_000)


class BadHeader(Exception):
    """The payment header is not the base64 of a version 1 payment on a network we know."""


class Upstream(Exception):
    """The facilitator behind did not answer, or with an error of its own."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A version 1 payment header, read: `payload` is {signature, authorization}."""

    network: str
    payload: dict[str, Any]
    authorization: dict[str, str]

    @classmethod
    def read(cls, asked: Route) -> Payment:
        try:
            said = orjson.loads(base64.b64decode(asked.paymentHeader, validate=True))
            network, payload = said["network"], said["payload"]
            authorization = {name: payload["authorization"][name] for name in SIGNED}
        except (ValueError, KeyError, TypeError):
            raise BadHeader("invalid_payload") from None
        if said.get("x402Version") != 1 or said.get("scheme") != "exact":
            raise BadHeader("invalid_payload")
        if network not in NETWORKS or {asked.sourceNetwork, asked.destinationNetwork} != {network}:
            raise BadHeader("invalid_network")
        return cls(network, payload, authorization)

    @property
    def id(self) -> str:
        """Follows from what can be used only once, so that a restart forgets no payment."""
        said = self.authorization
        unique = f"{self.network} {said['from']} {said['nonce']}".lower()
        return "pay_" + sha256(unique.encode()).hexdigest()[:24]

    def details(self) -> dict[str, str]:
        said = self.authorization
        payer, nonce = said["from"].lower(), said["nonce"].lower()
        return {"payer": payer, "nonce": nonce, "amount": said["value"], "payment_id": self.id}


class OnchainFi:
    """`POST /v1/verify`, `POST /v1/settle`, `GET /v1/supported`, `GET /v1/facilitators`."""

    name = "onchainfi"
    base_path = "/v1"

    def __init__(self, facilitator_url: str = "") -> None:
        """`facilitator_url` is the base URL of an x402 facilitator; without one, all is 502."""
        self._facilitator_url = facilitator_url.rstrip("/")
        self.forget()

    def forget(self) -> None:
        self._repeat, self._pending = "hash", 0

    async def control(self, call: Call) -> Answer | None:
        if (call.method, call.path) != ("POST", "/_twin/behaviour"):
            return None
        wanted = parse(Behaviour, call.body)
        self._repeat = wanted.repeat or self._repeat
        self._pending = self._pending if wanted.pending is None else wanted.pending
        return Answer.json(200, {"repeat": self._repeat, "pending": self._pending})

    async def answer(self, call: Call) -> Answer:
        if not call.headers.get("x-api-key", "").strip():
            return _error(401, "Missing API key")
        try:
            match call.method, call.path:
                case "POST", "/verify":
                    return _told(await self._verify(Verify.model_validate_json(call.body)))
                case "POST", "/settle":
                    return _told(await self._settle(call, Settle.model_validate_json(call.body)))
                case "GET", "/supported":
                    return _told({"networks": sorted(NETWORKS), "tokens": ["USDC"]})
                case "GET", "/facilitators":
                    return _told({"facilitators": [{"name": FACILITATOR, "status": "active"}]})
        except ValidationError:
            return _error(400, "Invalid request body")
        except Upstream:
            return Answer(502, b"Bad Gateway", {"content-type": "text/plain"})
        return _error(404, "Not found")

    async def _verify(self, asked: Verify) -> dict[str, Any]:
        try:
            payment = Payment.read(asked)
        except BadHeader as bad:
            return {"valid": False, "reason": str(bad)}
        if asked.expectedToken != "USDC":
            return {"valid": False, "reason": "invalid_payment_requirements"}
        amount = atomic(asked.expectedAmount)
        said = await self._ask("verify", payment, asked.recipientAddress, str(amount))
        if not said["isValid"]:
            return {"valid": False, "reason": said.get("invalidReason", "")}
        return {
            "valid": True,
            "facilitator": FACILITATOR,
            "from": said.get("payer"),
            "paymentId": payment.id,
        }

    async def _settle(self, call: Call, asked: Settle) -> dict[str, Any]:
        try:
            payment = Payment.read(asked)
        except BadHeader as bad:
            return _unsettled(str(bad))
        if asked.paymentId != payment.id:
            return _unsettled("payment_not_found")
        if not call.performs:
            return _settled("0x" + sha256(call.body).hexdigest())
        before = [item for item in call.journal.items if item.get("payment_id") == payment.id]
        if before and self._repeat == "hash":
            return _settled(before[0]["tx_hash"])
        still_pending = self._pending > 0
        self._pending -= still_pending
        pay_to, value = payment.authorization["to"], payment.authorization["value"]
        said = await self._ask("settle", payment, pay_to, value)
        tx_hash = said.get("transaction", "")
        if said["success"]:
            call.record("payment_settled", **payment.details(), tx_hash=tx_hash)
        if still_pending or said.get("errorReason") == PENDING:
            return _unsettled(PENDING, tx_hash) | {"success": True}
        return _settled(tx_hash) if said["success"] else _unsettled(said["errorReason"], tx_hash)

    async def _ask(self, verb: str, payment: Payment, pay_to: str, amount: str) -> dict[str, Any]:
        terms = {
            "scheme": "exact",
            "network": NETWORKS[payment.network],
            "asset": USDC[payment.network],
            "amount": amount,
            "payTo": pay_to,
            "maxTimeoutSeconds": 900,
            "extra": {"name": "USD Coin", "version": "2"},
        }
        payload = {"x402Version": 2, "payload": payment.payload, "accepted": terms}
        body = {"x402Version": 2, "paymentPayload": payload, "paymentRequirements": terms}
        try:
            async with httpx.AsyncClient(timeout=UPSTREAM_WITHIN_S, verify=False) as client:
                answer = await client.post(f"{self._facilitator_url}/{verb}", json=body)
            said: dict[str, Any] = answer.raise_for_status().json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Upstream from error
        return said


def atomic(amount: str) -> int:
    """ "1.00" is 1000000 units of USDC."""
    whole, _, rest = amount.partition(".")
    return int(whole + rest.ljust(DECIMALS, "0"))


def _settled(tx_hash: str) -> dict[str, Any]:
    return {"success": True, "settled": True, "facilitator": FACILITATOR, "txHash": tx_hash}


def _unsettled(reason: str, tx_hash: str = "") -> dict[str, Any]:
    known = {"txHash": tx_hash} if tx_hash else {}
    told = {"success": False, "settled": False, "facilitator": FACILITATOR, "reason": reason}
    return told | known


def _told(data: dict[str, Any]) -> Answer:
    return Answer.json(200, {"status": "success", "data": data})


def _error(status: int, message: str) -> Answer:
    return Answer.json(status, {"status": "error", "message": message})
