"""What the paid routes ask of Base, of a facilitator and of the store; composed in `__main__`.

Each of these is a question or a signature: none moves money. Those that cannot be answered raise a
refusal (ChainSilent, FacilitatorSilent, PictureAway), so that nobody pays into the dark.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.x402 import PaymentTerms, SignedPayment, Voucher
from domain.x402_events import PaymentType


class Verdict(Protocol):
    """A facilitator's word on a payment; `reason` is x402's own, empty when it is valid."""

    @property
    def valid(self) -> bool: ...

    @property
    def reason(self) -> str: ...

    @property
    def facilitator(self) -> str: ...

    @property
    def payment_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Base:
    """`signed_by`: whether the payer signed; `fid_minted`: by the contract; `picture`: the bytes
    behind a stored picture's URL, whose sha256 is given."""

    terms: Mapping[PaymentType, PaymentTerms]
    verify: Callable[[SignedPayment, PaymentTerms], Awaitable[Verdict]]
    signed_by: Callable[[SignedPayment, PaymentTerms], Awaitable[bool]]
    fid_minted: Callable[[int], Awaitable[bool]]
    sign_voucher: Callable[[Voucher], str]
    picture: Callable[[str, str], Awaitable[bytes]]
