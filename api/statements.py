"""Signed statements of a pass, over one state of the ledger that does not move while it is read."""

from __future__ import annotations

from typing import Any

from api.parts import Parts
from api.problems import NotFound
from ledger import audit
from projections.statement import STREAMS, make_statement


async def signed_statement(parts: Parts, pass_id: str) -> dict[str, Any]:
    """`pass_id` may be any name of the pass; NotFound when the ledger has never heard of it.

    What is recorded after the head was read is left out, so the statement is of one position.
    """
    canonical = parts.directory.canonical(pass_id)
    names, rows = parts.directory.names(canonical), parts.reader.rows
    if not await audit.history(rows, [canonical]):
        raise NotFound()
    position, head_hash = await audit.head_of(rows)
    streams = await audit.streams_of(rows, names, STREAMS)
    history = await audit.history(rows, streams, position=position)
    statement = make_statement(canonical, history, position=position, head_hash=head_hash)
    return parts.statement_key.sign(statement)
