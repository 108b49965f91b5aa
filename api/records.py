"""Records of the studio as administrators see them: whole, newest first, personal texts revealed.

Seed 001 §10. A text of an erased pass reads `[erased]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any, Literal

import msgspec

from api.reading import Reader
from domain.event import plain
from domain.generation import Generation
from domain.generation_events import GenerationEvent, generation_stream
from domain.generation_view import describe_generation
from ledger.codec import Recorded
from ledger.ledger import Ledger
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
Kind = Literal["mma_step", "mma_event", "credit_transaction"]


async def records(
    reader: Reader, ledger: Ledger, kind: Kind, generation_id: str | None, wanted: Mapping[str, Any]
) -> list[tuple[int, dict[str, Any]]]:
    """(position, record), newest first. `wanted`: before, names (None: of everybody), limit."""
    values = {**wanted, "kind": kind, "stream": generation_stream(generation_id or "")}
    rows = await reader.rows(SQL["records_of_generation" if generation_id else "records"], values)
    found = await ledger.revealed([position for (position,) in rows])
    return [(one.position, _record(one)) for one in reversed(found)]


async def generations(
    reader: Reader, ledger: Ledger, wanted: Mapping[str, Any]
) -> list[tuple[int, dict[str, Any]]]:
    """(position, generation), newest first. `wanted`: as for records, and status."""
    rows = await reader.rows(SQL["generations"], wanted)
    streams = await ledger.streams([generation_stream(id_) for _, id_ in rows])
    found = []
    for position, id_ in rows:
        known = reduce(Generation.evolve, streams[generation_stream(id_)].events, Generation())
        about = {"pass_id": known.pass_id, "position": position, "late_url": known.late_url or None}
        found.append((position, {**describe_generation(id_, known), **about}))
    return found


def _record(recorded: Recorded) -> dict[str, Any]:
    """An event's own fields, and where it stands."""
    said: dict[str, Any] = plain(msgspec.to_builtins(recorded.event))
    if isinstance(recorded.event, GenerationEvent) and "meta" in said:
        said["event_type"] = said["meta"]["event_type"]
    return {
        **said,
        "type": recorded.topic,
        "event_id": recorded.id,
        "position": recorded.position,
        "pass_id": said.get("pass_id") or recorded.metadata.get("pass_id"),
        "recorded_at": recorded.recorded_at.isoformat(),
    }
