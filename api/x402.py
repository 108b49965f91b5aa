"""x402 over HTTP, versions 1 and 2: how a payment is asked for, read, and receipted.

The 402 that asks has version 1's terms in its body and version 2's in `PAYMENT-REQUIRED`, so that
unmodified clients of both pay it (`contract.md` §4, `providers.md` §5b).
"""

from __future__ import annotations

import base64
from typing import Any

import orjson
from eth_utils.address import to_checksum_address
from starlette.requests import Request
from starlette.responses import Response

from api.payment_problems import VerificationFailed
from api.problems import problem
from domain.x402 import MAX_TIMEOUT_S, SCHEME, PaymentTerms, SignedPayment
from domain.x402_attempt import Attempt
from domain.x402_header import BadHeader, read_payment

REQUIRED, RECEIPT, RECEIPT_V1 = "PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE"
HEADERS = ("payment-signature", "x-payment")
MIME = "application/json"


def payment_of(request: Request) -> SignedPayment | None:
    """The payment that a request brings; VerificationFailed when its header is none."""
    said = next((request.headers[name] for name in HEADERS if name in request.headers), None)
    return None if said is None else payment_in(said)


def payment_in(header: str) -> SignedPayment:
    try:
        return read_payment(header)
    except BadHeader as bad:
        raise VerificationFailed(bad.reason) from None


def ask_to_pay(request: Request, terms: PaymentTerms, what: str) -> Response:
    """The 402 that asks for `terms`; `what` tells people what they pay for."""
    # Behind a proxy the scheme is what the proxy was asked with, not what it asks us with.
    resource = str(request.url.replace(query=""))
    said = "Payment required"
    v2 = {
        "x402Version": 2,
        "error": said,
        "resource": {"url": resource, "description": what, "mimeType": MIME},
        "accepts": [_v2(terms)],
    }
    return problem(
        402,
        "PAYMENT_REQUIRED",
        f"{what} costs {terms.amount} atomic units of {terms.asset}: pay by x402 and ask again.",
        headers={REQUIRED: _base64(v2)},
        x402Version=1,
        accepts=[_v1(terms, resource, what)],
        error=said,
    )


def receipt(terms: PaymentTerms, attempt: Attempt) -> dict[str, str]:
    """The headers by which a client learns that its payment was settled."""
    assert attempt.landing is not None
    said = {
        "success": True,
        "transaction": attempt.landing.tx_hash,
        "payer": checksum(attempt.payer),
    }
    v2, v1 = {**said, "network": terms.caip2}, {**said, "network": terms.v1_network}
    return {RECEIPT: _base64(v2), RECEIPT_V1: _base64(v1)}


def checksum(address: str) -> str:
    """As wallets' libraries want an address: mixed case (EIP-55)."""
    return str(to_checksum_address(address))


def _v1(terms: PaymentTerms, resource: str, what: str) -> dict[str, Any]:
    return {
        "scheme": SCHEME,
        "network": terms.v1_network,
        "maxAmountRequired": str(terms.amount),
        "resource": resource,
        "description": what,
        "mimeType": MIME,
        "payTo": checksum(terms.pay_to),
        "maxTimeoutSeconds": MAX_TIMEOUT_S,
        "asset": checksum(terms.token),
        "outputSchema": None,
        "extra": {"name": terms.token_name, "version": terms.token_version},
    }


def _v2(terms: PaymentTerms) -> dict[str, Any]:
    return {
        "scheme": SCHEME,
        "network": terms.caip2,
        "amount": str(terms.amount),
        "asset": checksum(terms.token),
        "payTo": checksum(terms.pay_to),
        "maxTimeoutSeconds": MAX_TIMEOUT_S,
        "extra": {"name": terms.token_name, "version": terms.token_version},
    }


def _base64(value: Any) -> str:
    return base64.b64encode(orjson.dumps(value)).decode()
