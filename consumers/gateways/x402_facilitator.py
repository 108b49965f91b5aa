"""Any standard x402 facilitator: `POST /verify`, `POST /settle`; spec `providers.md` §5b.

Asked in the version the payer used. Its no is a reason of x402; its yes is a transaction's hash,
which the chain confirms or does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from consumers.gateways import x402_wire
from consumers.gateways.facilitator_http import (
    MAY_HAVE_MOVED,
    READ_S,
    TURNED_AWAY,
    Service,
    tx_hash_in,
)
from consumers.gateways.web import Reply, json_object
from consumers.gateways.x402_ports import SettleAnswer, Verdict
from domain.x402 import PaymentTerms, SignedPayment


class X402Facilitator:
    """The `Facilitator` port. `url` is the facilitator's base, as `https://x402.org/facilitator`.

    It gives no `payment_id`: the authorization's nonce is all that names a payment here.
    """

    name = "x402"

    def __init__(
        self, *, url: str, client: httpx.AsyncClient, read_timeout_s: float = READ_S
    ) -> None:
        self._url = url.rstrip("/")
        self._service = Service(self.name, client, read_timeout_s=read_timeout_s)

    async def verify(self, payment: SignedPayment, terms: PaymentTerms) -> Verdict:
        reply = await self._service.ask(f"{self._url}/verify", _question(payment, terms))
        said = _said(reply, "isValid")
        if said is None:
            raise self._service.no_verdict(reply, payment)
        if said["isValid"] and reply.status == 200:
            return Verdict(valid=True, facilitator=self.name)
        reason = self._service.told(said.get("invalidReason"), payment)
        return Verdict(valid=False, reason=reason or "unexpected_verify_error")

    async def settle(
        self, payment: SignedPayment, terms: PaymentTerms, *, payment_id: str
    ) -> SettleAnswer:
        nonce = payment.authorization.nonce
        reply = await self._service.order(
            f"{self._url}/settle", _question(payment, terms), nonce=nonce
        )
        said = _said(reply, "success")
        if said is None:
            raise self._service.no_outcome(reply, payment)
        tx_hash = tx_hash_in(said.get("transaction"))
        if said["success"]:
            if reply.status != 200 or not tx_hash:
                raise self._service.unknown(reply, payment)
            return SettleAnswer(settled=True, tx_hash=tx_hash, facilitator=self.name)
        reason = self._service.told(said.get("errorReason"), payment) or "unexpected_settle_error"
        return SettleAnswer(
            settled=False,
            pending=reason in MAY_HAVE_MOVED,
            tx_hash=tx_hash,
            facilitator=self.name,
            reason=reason,
        )


def _question(payment: SignedPayment, terms: PaymentTerms) -> dict[str, Any]:
    version = payment.version
    return {
        "x402Version": version,
        "paymentPayload": x402_wire.payload(payment, terms, version=version),
        "paymentRequirements": x402_wire.requirements(terms, version=version),
    }


def _said(reply: Reply, verdict: str) -> Mapping[str, Any] | None:
    """The body when it holds the verdict; a no may come with a 4xx, as 402 does for a bad payment.

    A 5xx says nothing, whatever its body: who breaks while answering may have broken while paying.
    """
    if reply.status != 200 and reply.status not in TURNED_AWAY:
        return None
    body = json_object(reply)
    return body if body and isinstance(body.get(verdict), bool) else None
