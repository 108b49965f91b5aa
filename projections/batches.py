"""batches: every batch and single mint, as it is shown, with when somebody must look at it next.

`due_at`: when the chain should be asked what became of its payment; `art_due_at`: when somebody
should draw and store for its units; `mint_due_at`: go on with their mints. Null: nothing is due.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from domain.batch import Batch
from domain.batch_events import BatchEvent
from domain.batch_view import art_due, describe_batch, mint_due, payment_due
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class TrackedBatch:
    """`changed_at`: when the last event was recorded."""

    position: int
    changed_at: datetime
    batch: Batch


class Batches(Projection[TrackedBatch]):
    name = "batches"
    version = 2
    topics = topics_of(BatchEvent)
    state = TrackedBatch

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, BatchEvent)
        return (event.batch_id,)

    def fold(self, key: str, state: TrackedBatch | None, recorded: Recorded) -> TrackedBatch:
        batch = (state.batch if state else Batch()).evolve(recorded.event)
        position = state.position if state else recorded.position
        return TrackedBatch(position, recorded.recorded_at, batch)

    def view(self, tracked: TrackedBatch) -> dict[str, Any]:
        """The body of `GET /pfp/batches/{batchId}`."""
        return describe_batch(tracked.batch)

    def record(self, key: str, state: TrackedBatch) -> dict[str, Any]:
        batch, since = state.batch, state.changed_at
        due, art, mint = (ask(batch, since) for ask in (payment_due, art_due, mint_due))
        return {
            "batch_id": key,
            "pass_id": batch.pass_id,
            "wallet": batch.wallet,
            "recipe": batch.recipe,
            "position": state.position,
            "status": batch.status,
            "entropy": batch.terms.entropy if batch.terms else "",
            "due_at": due.isoformat() if due else None,
            "art_due_at": art.isoformat() if art else None,
            "mint_due_at": mint.isoformat() if mint else None,
            "view": self.view(state),
            "state": msgspec.json.encode(state).decode(),
        }
