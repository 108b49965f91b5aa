"""A signed payment and its terms in x402's own words, version 1 or 2, for those who settle it.

Composed from what was read and checked, so that nothing a payer added travels on. Addresses are
checksummed, as the clients write them. Spec `providers.md` §5b.
"""

from __future__ import annotations

import base64
from typing import Any

import orjson
from eth_utils.address import to_checksum_address

from consumers.gateways.eip712 import with_token_v
from domain.x402 import MAX_TIMEOUT_S, SCHEME, PaymentTerms, SignedPayment

RESOURCE = "urn:mega:payment"
"""Version 1 wants the name of what is sold in every question; a facilitator only repeats it."""


def payload(payment: SignedPayment, terms: PaymentTerms, *, version: int) -> dict[str, Any]:
    """`paymentPayload`. What was signed does not depend on the version that it is told in."""
    told = {"x402Version": version, "payload": _exact(payment)}
    if version == 1:
        return told | {"scheme": SCHEME, "network": terms.network(1)}
    return told | {"accepted": requirements(terms, version=2)}


def requirements(terms: PaymentTerms, *, version: int) -> dict[str, Any]:
    """`paymentRequirements`; in version 2 also what the payer says to have `accepted`."""
    asked = {
        "scheme": SCHEME,
        "network": terms.network(version),
        "asset": to_checksum_address(terms.token),
        "payTo": to_checksum_address(terms.pay_to),
        "maxTimeoutSeconds": MAX_TIMEOUT_S,
        "extra": {"name": terms.token_name, "version": terms.token_version},
    }
    if version == 2:
        return asked | {"amount": str(terms.amount)}
    return asked | {
        "maxAmountRequired": str(terms.amount),
        "resource": RESOURCE,
        "description": "",
        "mimeType": "application/json",
    }


def v1_header(payment: SignedPayment, terms: PaymentTerms) -> str:
    """The payment as an `X-PAYMENT` header, whatever version it came in."""
    return base64.b64encode(orjson.dumps(payload(payment, terms, version=1))).decode()


def _exact(payment: SignedPayment) -> dict[str, Any]:
    said = payment.authorization
    return {
        "signature": with_token_v(payment.signature),
        "authorization": {
            "from": to_checksum_address(said.payer),
            "to": to_checksum_address(said.pay_to),
            "value": str(said.value),
            "validAfter": str(said.valid_after),
            "validBefore": str(said.valid_before),
            "nonce": said.nonce,
        },
    }
