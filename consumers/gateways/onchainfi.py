"""OnchainFi, which chooses a facilitator for each payment; spec `providers.md` §5a.

It takes version 1 headers whatever the payer used: the signature is the same in both. Amounts are
decimal strings here and nowhere else.
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
from consumers.gateways.web import Key, Reply, json_object
from consumers.gateways.x402_ports import SettleAnswer, Verdict
from domain.x402 import PaymentTerms, SignedPayment

BASE = "/v1"
PRIORITY = "balanced"
DECIMALS = 6
"""Of USDC, the only token it is asked to move."""


class OnchainFi:
    """The `Facilitator` port. `url` is scheme and host, with or without `/v1`."""

    name = "onchainfi"

    def __init__(
        self, *, url: str, key: str, client: httpx.AsyncClient, read_timeout_s: float = READ_S
    ) -> None:
        self._url = url.rstrip("/").removesuffix(BASE) + BASE
        headers = Key(self.name, key, header="X-API-Key", scheme="").headers()
        self._service = Service(
            self.name, client, headers=headers, secrets=(key,), read_timeout_s=read_timeout_s
        )

    async def verify(self, payment: SignedPayment, terms: PaymentTerms) -> Verdict:
        question = {
            **_route(payment, terms),
            "expectedAmount": decimal_text(terms.amount),
            "expectedToken": terms.asset,
            "recipientAddress": x402_wire.requirements(terms, version=1)["payTo"],
        }
        reply = await self._service.ask(f"{self._url}/verify", question)
        said, kept = _data(reply, "valid")
        if said is None:
            raise self._service.no_verdict(reply, payment)
        if not said["valid"]:
            reason = self._service.told(said.get("reason"), payment)
            return Verdict(valid=False, reason=reason or "unexpected_verify_error")
        payment_id = said.get("paymentId")
        if not kept or not isinstance(payment_id, str) or not payment_id:
            # Without the id its settlement could not be asked for.
            raise self._service.no_verdict(reply, payment)
        facilitator = self._named(said, payment)
        return Verdict(valid=True, facilitator=facilitator, payment_id=payment_id)

    async def settle(
        self, payment: SignedPayment, terms: PaymentTerms, *, payment_id: str
    ) -> SettleAnswer:
        nonce = payment.authorization.nonce
        order = {**_route(payment, terms), "paymentId": payment_id}
        reply = await self._service.order(f"{self._url}/settle", order, nonce=nonce)
        said, kept = _data(reply, "settled")
        if said is None:
            raise self._service.no_outcome(reply, payment)
        facilitator, tx_hash = self._named(said, payment), tx_hash_in(said.get("txHash"))
        if said["settled"]:
            if not kept or not tx_hash or said.get("success") is False:
                raise self._service.unknown(reply, payment)
            return SettleAnswer(settled=True, tx_hash=tx_hash, facilitator=facilitator)
        reason = self._service.told(said.get("reason"), payment) or "unexpected_settle_error"
        return SettleAnswer(
            settled=False,
            pending=said.get("success") is True or reason in MAY_HAVE_MOVED,
            tx_hash=tx_hash,
            facilitator=facilitator,
            reason=reason,
        )

    def _named(self, said: Mapping[str, Any], payment: SignedPayment) -> str:
        """Who moves the money, if it says."""
        return self._service.told(said.get("facilitator"), payment)[:80] or self.name


def decimal_text(amount: int) -> str:
    """USDC from its atomic units, with two decimals at least: 1000000 is "1.00"."""
    whole, rest = divmod(amount, 10**DECIMALS)
    cents = f"{rest:0{DECIMALS}d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{cents}"


def _route(payment: SignedPayment, terms: PaymentTerms) -> dict[str, object]:
    return {
        "paymentHeader": x402_wire.v1_header(payment, terms),
        "sourceNetwork": terms.v1_network,
        "destinationNetwork": terms.v1_network,
        "priority": PRIORITY,
    }


def _data(reply: Reply, verdict: str) -> tuple[Mapping[str, Any] | None, bool]:
    """`data` when it holds the verdict, and whether a yes in it counts: a no may come with a 4xx or
    beside `status:"error"`, a yes only with 200 and `status:"success"`."""
    if reply.status != 200 and reply.status not in TURNED_AWAY:
        return None, False
    body = json_object(reply) or {}
    data = body.get("data")
    if not isinstance(data, dict) or not isinstance(data.get(verdict), bool):
        return None, False
    return data, reply.status == 200 and body.get("status") == "success"
