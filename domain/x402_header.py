"""Reads a payment header: base64 of JSON, x402 version 1 (`X-PAYMENT`) or 2 (`PAYMENT-SIGNATURE`).

Nothing is checked here but the form; what a payment must say is `PaymentTerms.fault`. Spec
`providers.md` §5b.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from domain.x402 import Authorization, SignedPayment

HEADER_CHARS_MAX: Final = 16_384

Address = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$", to_lower=True)]
Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,78}$")]
Bytes32 = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$", to_lower=True)]
Signature = Annotated[str, StringConstraints(pattern=r"^0x([0-9a-fA-F]{2}){1,4096}$")]


class BadHeader(Exception):
    """Not a payment. `reason` is x402's word for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Authorization(_Wire):
    payer: Address = Field(alias="from")
    to: Address
    value: Number
    valid_after: Number = Field(alias="validAfter")
    valid_before: Number = Field(alias="validBefore")
    nonce: Bytes32


class _Payload(_Wire):
    signature: Signature
    authorization: _Authorization


class _V1(_Wire):
    scheme: str
    network: str
    payload: _Payload


class _Accepted(_Wire):
    scheme: str
    network: str
    asset: Address
    amount: Number
    pay_to: Address = Field(alias="payTo")


class _V2(_Wire):
    accepted: _Accepted
    payload: _Payload


def read_payment(header: str) -> SignedPayment:
    """The payment in a header; BadHeader when it is none."""
    said = _object(header)
    version = said.get("x402Version")
    if type(version) is not int:  # True and 1.0 are equal to 1, and no versions
        raise BadHeader("invalid_x402_version")
    try:
        if version == 1:
            v1 = _V1.model_validate(said)
            return _signed(1, v1.scheme, v1.network, v1.payload, header)
        if version == 2:
            v2 = _V2.model_validate(said)
            terms = v2.accepted
            accepted = (terms.asset, terms.pay_to, terms.amount)
            return _signed(2, terms.scheme, terms.network, v2.payload, header, accepted)
    except ValidationError:
        # The error would name the values, and these are a bearer's.
        raise BadHeader("invalid_payload") from None
    raise BadHeader("invalid_x402_version")


def _object(header: str) -> dict[str, Any]:
    if len(header) > HEADER_CHARS_MAX:
        raise BadHeader("invalid_payload")
    try:
        said = json.loads(base64.b64decode(header, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise BadHeader("invalid_payload") from None
    if not isinstance(said, dict):
        raise BadHeader("invalid_payload")
    return said


def _signed(
    version: int,
    scheme: str,
    network: str,
    payload: _Payload,
    header: str,
    accepted: tuple[str, str, str] | None = None,
) -> SignedPayment:
    said = payload.authorization
    return SignedPayment(
        version=version,
        scheme=scheme,
        network=network,
        authorization=Authorization(
            payer=said.payer,
            pay_to=said.to,
            value=int(said.value),
            valid_after=int(said.valid_after),
            valid_before=int(said.valid_before),
            nonce=said.nonce,
        ),
        signature=payload.signature,
        header=header,
        accepted=accepted,
    )
