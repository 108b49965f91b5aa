"""What callers see of batches, in the words of seed 003, and when somebody must look at one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.allowance import Allowance
from domain.batch import Batch
from domain.batch_events import PfpMinted
from domain.mint_view import spoken_time
from domain.pfp_unit import Unit

UNPREPARED_LASTS = timedelta(minutes=10)


def describe_prepared(batch: Batch) -> dict[str, Any]:
    """The answer to whoever wants to pay."""
    return {
        "transactionBase64": batch.window.raw if batch.window and not batch.paid else None,
        "lamports": str(batch.lamports),
        "expiresAt": expires_at(batch),
    }


def describe_batch(batch: Batch) -> dict[str, Any]:
    return {
        "batchId": batch.batch_id,
        "status": batch.status,
        "quantity": batch.quantity,
        "lamports": str(batch.lamports),
        "creditsApplied": batch.credits,
        "minted": [describe_minted(minted) for minted in batch.minted],
        "remaining": batch.remaining,
        "expiresAt": expires_at(batch),
    }


def describe_minted(minted: PfpMinted) -> dict[str, Any]:
    return {
        "index": minted.index,
        "assetId": minted.asset_id,
        "imageUri": minted.image_uri,
        "metadataUri": minted.metadata_uri,
        "signature": minted.signature,
    }


def describe_slots(allowance: Allowance) -> dict[str, int]:
    return {
        "allowed": allowance.allowed or 0,
        "used": allowance.used,
        "reserved": sum(allowance.reserved.values()),
    }


def expires_at(batch: Batch) -> str | None:
    """Until when it can be paid; None: there is nothing to pay (any more, or yet)."""
    return spoken_time(batch.window.expires_at) if batch.window and not batch.paid else None


def payment_due(batch: Batch, since: datetime) -> datetime | None:
    """When somebody should ask the chain what became of its transaction, or give up one that never
    came to be; None: nothing is open."""
    if batch.terms and batch.unpaid and batch.window is None:
        return batch.terms.opened_at + UNPREPARED_LASTS
    return since if batch.watched else None


def art_due(batch: Batch, since: datetime) -> datetime | None:
    """When somebody should draw and store the files of a unit, or open the next one for that;
    None: nobody wants one, or there is no room for it."""
    if batch.ended:
        return None
    wanted = [unit for unit in batch.in_work if not unit.art_stored]
    if not wanted and batch.auto_mint and batch.paid and batch.has_room:
        wanted = batch.waiting()
    return _first(wanted, since)


def mint_due(batch: Batch, since: datetime) -> datetime | None:
    """When somebody should go on with the mint of a unit whose files are stored. A single mint
    only needs a tree to be minted into, before the transaction that pays for it is made."""
    if batch.ended or (batch.recipe == "pfp_single" and batch.window):
        return None
    return _first((unit for unit in batch.in_work if unit.art_stored), since)


def _first(units: Iterable[Unit], since: datetime) -> datetime | None:
    return min((unit.retry_at or since for unit in units), default=None)
