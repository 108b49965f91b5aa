"""The facts of a batch's payment, written from what was signed, proven or paid."""

from __future__ import annotations

from datetime import datetime

from domain.batch_events import BatchLapsed, BatchOpened, BatchPaid, BatchPrepared
from domain.solana import Absence, Prepared


def prepared_for(
    batch_id: str, prepared: Prepared, expires_at: datetime, minter: str
) -> BatchPrepared:
    return BatchPrepared(
        batch_id=batch_id,
        signature=prepared.signature,
        message=prepared.message,
        raw=prepared.raw,
        blockhash=prepared.blockhash,
        last_valid_height=prepared.last_valid_height,
        expires_at=expires_at,
        minter=minter,
    )


def lapsed_by(batch_id: str, proof: Absence) -> BatchLapsed:
    return BatchLapsed(
        batch_id=batch_id,
        signature=proof.signature,
        proof_height=proof.height,
        proof_slot=proof.slot,
    )


def covered_by_credits(terms: BatchOpened, at: datetime) -> BatchPaid:
    return BatchPaid(
        batch_id=terms.batch_id,
        wallet=terms.wallet,
        signature="",
        slot=0,
        lamports="0",
        paid_units=0,
        units=terms.quantity,
        refund_due="0",
        paid_at=at,
    )


def landed_with(
    terms: BatchOpened, signature: str, slot: int, paid_units: int, credits: int, at: datetime
) -> BatchPaid:
    """`paid_units` of those that it paid for have a slot, the rest is refund due."""
    missing = terms.quantity - terms.credits - paid_units
    return BatchPaid(
        batch_id=terms.batch_id,
        wallet=terms.wallet,
        signature=signature,
        slot=slot,
        lamports=terms.lamports,
        paid_units=paid_units,
        units=paid_units + credits,
        refund_due=str(missing * int(terms.price)),
        paid_at=at,
    )
