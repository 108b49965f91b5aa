"""What the business says no to when an order is paid by x402. Sentences are seed 004's where it
has one; the codes are in the API's table."""

from __future__ import annotations

from domain.event import Refused


class PaymentInFlight(Refused):
    """Your payment was handed in and its outcome is not known yet; do not pay again. Ask again."""


class PaymentReplaced(Refused):
    """This payment was replaced or dismissed, and is not handed in any more."""


class SignatureExpired(Refused):
    """Payment signature expired. Please pay again."""


class SettlementFailed(Refused):
    """The payment was refused and nothing was taken. Please pay again."""


class PaymentAlreadySettled(Refused):
    """This is paid, or may be; it cannot be dismissed. Its tracking tells the way on."""


class TooManyAttempts(Refused):
    """This order was signed for too often; wait until the open signatures expire."""
