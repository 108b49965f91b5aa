"""x402 in the `exact` scheme on an EVM chain: what a signed payment says, and what it must say.

The payment is an EIP-3009 authorization: whoever has it may move exactly `value` from `payer` to
`pay_to`, once, between two times. Reasons are x402's own words. Spec `providers.md` §5b.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MAX_TIMEOUT_S: Final = 900
"""For how long a payer is asked to sign: `maxTimeoutSeconds`, seed 004 "Signature deadline"."""

LONGEST_VALIDITY_S: Final = 24 * 3600
"""What could still be handed in after a day would keep its order open for as long."""

EXPIRY_MARGIN_S: Final = 6
"""An authorization that ends sooner than this cannot be brought into a block any more."""

SCHEME: Final = "exact"
_V1_NETWORKS: Final = {8453: "base", 84532: "base-sepolia"}


@dataclass(frozen=True, slots=True)
class Authorization:
    """EIP-3009: addresses and the 32 bytes of `nonce` in lower case hex (0x…), `value` in atomic
    units, times in unix seconds of the chain, both exclusive."""

    payer: str
    pay_to: str
    value: int
    valid_after: int
    valid_before: int
    nonce: str


@dataclass(frozen=True, slots=True)
class SignedPayment:
    """A payment header, read. `header` is the text as it came, `signature` 0x and hex; whoever
    holds either can move the money, so both stay out of every repr."""

    version: int
    scheme: str
    network: str
    authorization: Authorization
    signature: str = field(repr=False)
    header: str = field(repr=False)
    accepted: tuple[str, str, str] | None = None
    """Version 2 only: asset and payee in lower case, amount: the terms that the payer accepted."""


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """What is asked: `amount` atomic units of `token` to `pay_to`, addresses in lower case hex.

    `token_name` and `token_version` are the token's EIP-712 domain: "USD Coin" and "2" on Base.
    `least_validity_s`: for how long a payment must still be good when it is taken in.
    """

    chain_id: int
    token: str
    pay_to: str
    amount: int
    token_name: str = "USD Coin"
    token_version: str = "2"
    asset: str = "USDC"
    least_validity_s: int = EXPIRY_MARGIN_S

    @property
    def caip2(self) -> str:
        """The network's name in x402 version 2."""
        return f"eip155:{self.chain_id}"

    @property
    def v1_network(self) -> str:
        """The network's name in x402 version 1; one that has none is called as in version 2."""
        return _V1_NETWORKS.get(self.chain_id, self.caip2)

    def network(self, version: int) -> str:
        return self.v1_network if version == 1 else self.caip2

    def fault(self, payment: SignedPayment, now: int) -> str:
        """Why a payment cannot pay these terms at `now` (unix seconds); empty when it can.

        The signature, the payer's balance and the nonce are for others to judge.
        """
        said = payment.authorization
        if payment.version not in (1, 2):
            return "invalid_x402_version"
        if payment.scheme != SCHEME:
            return "unsupported_scheme"
        if payment.network != self.network(payment.version):
            return "network_mismatch"
        if payment.accepted not in (None, (self.token, self.pay_to, str(self.amount))):
            return "invalid_payment_requirements"
        if said.pay_to != self.pay_to:
            return "invalid_exact_evm_payload_recipient_mismatch"
        if said.value != self.amount:
            return "invalid_exact_evm_payload_authorization_value_mismatch"
        least, longest = now + self.least_validity_s, now + LONGEST_VALIDITY_S
        if not least <= said.valid_before <= longest:
            return "invalid_exact_evm_payload_authorization_valid_before"
        if said.valid_after > now:
            return "invalid_exact_evm_payload_authorization_valid_after"
        return ""


@dataclass(frozen=True, slots=True)
class Voucher:
    """Signed leave to mint the Geoplet of `fid` to `to` until `deadline` (chain time, seconds)."""

    to: str
    fid: int
    nonce: int
    deadline: int
