"""What callers see of an x402 order, in the words of seed 004; shapes of `contract.md` §4.

What depends on the time is told for `at`: an authorization has a deadline, what is settled has
none, and the end of an order is shown for a day (`decisions.md` C8, C10).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.mint_view import spoken_time
from domain.x402 import MAX_TIMEOUT_S
from domain.x402_order import X402Order

SHOWN_FOR = timedelta(hours=24)
NOTHING: dict[str, Any] = {"status": None, "canResume": False}


def expires_at(valid_before: int, deadline: int | None, at: datetime) -> datetime:
    """Until when a payment is handed in: its own end, and that of the voucher it came with."""
    latest = int(at.timestamp()) + MAX_TIMEOUT_S if deadline is None else deadline
    return _time(min(valid_before, latest))


def describe_tracking(order: X402Order, at: datetime) -> dict[str, Any]:
    """The body of `GET /api/payment-tracking/{fid}/{paymentType}`, secrets as they are in `order`;
    the header is for the payer alone."""
    status, until = order.status, _expires(order)
    ended = _ended_at(order)
    if status is None or until is None or (ended and at >= ended + SHOWN_FOR):
        return NOTHING
    expired = at > until
    paid, current, voucher = order.paid, order.attempts.current, order.minting.voucher
    unsettled = status in ("verified", "settling")
    return {
        "status": status,
        "mintVoucher": spoken_voucher(order),
        "mintSignature": voucher.signature if voucher else None,
        "paymentHeader": current.header if unsettled and current else None,
        "settlementTxHash": paid.landing.tx_hash if paid and paid.landing else None,
        "expiresAt": spoken_time(until),
        "canResume": status == "settled" and not expired,
        "isExpired": expired,
        "recovery": describe_recovery(order, at),
    }


def describe_recovery(order: X402Order, at: datetime) -> dict[str, Any] | None:
    """The payer's way on; None when there is nothing to be done."""
    until = _expires(order)
    match order.status:
        case "verified" if until and at <= until:
            return _way("settle", until=until)
        case "settling" | "minting":
            return _way("wait")
        case "settled" if order.mints:
            return _way("mint")
        case "settled" if order.picture.open:
            return _way("wait", until=order.retry_until)
        case "settled":
            why = order.picture.error_class or None
            return _way("regenerate", until=order.retry_until, reason=why)
        case "failed" if order.failure:
            return _way(
                "support", case_id=failed_case(order.stream), reason=order.failure.error_code
            )
    if surplus := order.attempts.surplus:
        case_id = surplus_case(order.stream, surplus[0].nonce)
        return _way("support", case_id=case_id, reason="OVERPAID")
    return None


def failed_case(stream: str) -> str:
    """The id in `/admin/recoveries` of an order that ended without delivery."""
    return f"{stream}/failed"


def surplus_case(stream: str, nonce: str) -> str:
    """The id in `/admin/recoveries` of a payment beyond the price."""
    return f"{stream}/{nonce}"


def spoken_voucher(order: X402Order) -> dict[str, str] | None:
    """As the frontends and the contract's ABI want it: decimal strings."""
    issued = order.minting.voucher
    if issued is None:
        return None
    return {
        "to": issued.to,
        "fid": str(issued.fid),
        "nonce": issued.voucher_nonce,
        "deadline": str(issued.deadline),
    }


def spoken_signature(order: X402Order) -> dict[str, Any]:
    """The body of `POST /api/get-mint-signature`."""
    voucher, current, until = order.minting.voucher, order.attempts.current, _expires(order)
    assert voucher is not None and current is not None and until is not None
    return {
        "voucher": spoken_voucher(order),
        "signature": voucher.signature,
        "paymentHeader": (order.paid or current).header,
        "expiresAt": spoken_time(until),
    }


def _expires(order: X402Order) -> datetime | None:
    """Of what is paid: the voucher's deadline, or the day in which a picture may be made again."""
    voucher, current = order.minting.voucher, order.attempts.current
    if order.paid:
        return _time(voucher.deadline) if order.mints and voucher else order.retry_until
    return current.expires_at if current else None


def _ended_at(order: X402Order) -> datetime | None:
    if order.failure:
        return order.failure.failed_at
    match order.status:
        case "minted":
            return order.minting.minted_at
        case "completed" if order.picture.stored:
            return order.picture.stored.stored_at
        case "failed" if order.attempts.current:
            return order.attempts.current.rejected_at
    return None


def _way(
    action: str, *, until: datetime | None = None, case_id: str | None = None, reason: Any = None
) -> dict[str, Any]:
    spoken = spoken_time(until) if until else None
    return {"action": action, "until": spoken, "case_id": case_id, "reason": reason}


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, 2**33), UTC)
