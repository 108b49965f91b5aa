"""Base, a facilitator and the store as the routes see them, by hand: what they answer is said here.

Signatures are real ones, checked and made by the product's own gateways.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from typing import Any

import orjson
from eth_account import Account
from eth_account.signers.local import LocalAccount

from api.base import Base
from api.payment_problems import FacilitatorSilent
from consumers.gateways.eip712 import authorization_digest
from consumers.gateways.vouchers import Vouchers
from consumers.gateways.x402_ports import Verdict
from consumers.gateways.x402_signature import signed_by
from domain.x402 import Authorization, PaymentTerms, SignedPayment

USDC = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
GEOPLETS, PAY_TO = "0x" + "9e" * 20, "0x" + "0f" * 20
MINT = PaymentTerms(chain_id=8453, token=USDC, pay_to=PAY_TO, amount=1_000_000)
REGENERATE = PaymentTerms(chain_id=8453, token=USDC, pay_to=PAY_TO, amount=900_000)
SIGNER_KEY = "0x" + "11" * 32  # a test key
PICTURE = b"RIFF a picture"


@dataclass
class FakeBase:
    """`refuses`: the facilitator's reason against any payment; `silent`: it does not answer."""

    minted: set[int] = field(default_factory=set)
    refuses: str = ""
    silent: bool = False
    asked: int = 0

    @property
    def base(self) -> Base:
        vouchers = Vouchers(private_key=SIGNER_KEY, chain_id=8453, contract=GEOPLETS)
        return Base(
            terms={"mint": MINT, "regenerate": REGENERATE},
            verify=self.verify,
            signed_by=signed_by,
            fid_minted=self.fid_minted,
            sign_voucher=vouchers.sign,
            picture=self.picture,
        )

    async def verify(self, payment: SignedPayment, terms: PaymentTerms) -> Verdict:
        self.asked += 1
        if self.silent:
            raise FacilitatorSilent()
        if self.refuses:
            return Verdict(valid=False, reason=self.refuses)
        return Verdict(valid=True, facilitator="fake", payment_id="p1")

    async def fid_minted(self, fid: int) -> bool:
        return fid in self.minted

    async def picture(self, url: str, sha256: str) -> bytes:
        return PICTURE


def signed_header(
    payer: LocalAccount,
    terms: PaymentTerms = MINT,
    *,
    version: int = 1,
    valid_after: int = 0,
    valid_before: int,
    domain: PaymentTerms | None = None,
    **said: Any,
) -> str:
    """A payment header, signed; `domain` is what the signature is made for, `said` overrides the
    top level of the message, and `authorization` of `said` fields of the authorization."""
    wanted = {
        "payer": payer.address.lower(),
        "pay_to": terms.pay_to,
        "value": terms.amount,
        "valid_after": valid_after,
        "valid_before": valid_before,
        "nonce": "0x" + secrets.token_hex(32),
        **said.pop("authorization", {}),
    }
    meant = Authorization(**wanted)
    digest = authorization_digest(meant, domain or terms)
    signature = Account.unsafe_sign_hash(digest, payer.key).signature
    payload = {"signature": "0x" + bytes(signature).hex(), "authorization": spoken(meant)}
    v1 = {"scheme": "exact", "network": terms.v1_network}
    message = {"x402Version": version, "payload": payload}
    message |= v1 if version == 1 else {"accepted": accepted(terms)}
    return base64.b64encode(orjson.dumps({**message, **said})).decode()


def spoken(meant: Authorization) -> dict[str, str]:
    return {
        "from": meant.payer,
        "to": meant.pay_to,
        "value": str(meant.value),
        "validAfter": str(meant.valid_after),
        "validBefore": str(meant.valid_before),
        "nonce": meant.nonce,
    }


def accepted(terms: PaymentTerms) -> dict[str, Any]:
    return {
        "scheme": "exact",
        "network": terms.caip2,
        "asset": terms.token,
        "amount": str(terms.amount),
        "payTo": terms.pay_to,
        "maxTimeoutSeconds": 900,
        "extra": {"name": terms.token_name, "version": terms.token_version},
    }
