"""The six lines that seed 004 "Logging Strategy" asks for, written as the facts are recorded.

`[PAYMENT_TRACKING]` marks them; fields are the seed's: `fid`, `paymentType`, and what is told.
"""

from __future__ import annotations

from typing import Any

import structlog

from commands.command import Outcome
from domain import x402_events as happened
from domain.event import Event
from domain.geoplet_events import GeopletMinted
from domain.mint_view import spoken_time

MARK = "[PAYMENT_TRACKING]"
log = structlog.get_logger()


def tell(outcome: Outcome) -> None:
    """Logs what an outcome holds of the six."""
    for event in outcome.events:
        if line := _line(event):
            name, fields = line
            say(name, event, **fields)


def say(name: str, about: Any, **fields: Any) -> None:
    """`about`: anything with a `fid` and a `payment_type`."""
    log.info(name, tag=MARK, fid=about.fid, paymentType=about.payment_type, **fields)


def _line(event: Event) -> tuple[str, dict[str, Any]] | None:
    match event:
        case happened.X402PaymentVerified(expires_at=at):
            return "payment_verified", {"expiresAt": spoken_time(at)}
        case happened.X402PaymentSettled(tx_hash=tx):
            return "settlement_succeeded", {"settlementTxHash": tx}
        case GeopletMinted(tx_hash=tx):
            return "mint_succeeded", {"mintTxHash": tx}
        case happened.X402PaymentExpired():
            return "signature_expired", {}
        case happened.X402PaymentDismissed(reason="retention"):
            return "cleanup_executed", {"records": 1}
    return None
