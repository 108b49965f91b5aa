"""What callers see of batches, in the words of seed 003, and when somebody must look at one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.allowance import Allowance
from domain.batch import Batch
from domain.batch_events import PfpMinted
from domain.mint_view import spoken_time


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
    """When somebody should ask the chain what became of its transaction; None: nothing is open."""
    return since if batch.watched else None


def mint_due(batch: Batch, since: datetime) -> datetime | None:
    """When somebody should go on with a unit; None: nobody wants one, or all is done."""
    at_work = [unit for unit in batch.in_work if not _waits_for_wallet(batch)]
    if at_work:
        return min(unit.retry_at or since for unit in at_work)
    if not (batch.auto_mint and batch.paid):
        return None
    return min((unit.retry_at or since for unit in batch.waiting()), default=None)


def _waits_for_wallet(batch: Batch) -> bool:
    """A single mint's picture is stored; it is minted by the transaction that pays."""
    return batch.recipe == "pfp_single" and batch.unit(1).art_stored
