"""Signed statements of a pass, over one state of the ledger that does not move while it is read."""

from __future__ import annotations

from functools import reduce
from typing import Any

from api.problems import NotFound
from api.statement_check import StatementKey
from domain.passes import Pass
from ledger import audit
from projections.statement import STREAMS, make_statement


async def signed_statement(rows: audit.Rows, key: StatementKey, pass_id: str) -> dict[str, Any]:
    """`pass_id` may be any name of the pass; NotFound when the ledger has never heard of it.

    What is recorded after the head was read is left out, so the statement is of one position.
    """
    position, head_hash = await audit.head_of(rows)
    names = await _names(rows, pass_id, position)
    streams = await audit.streams_of(rows, names, STREAMS)
    history = await audit.history(rows, streams, position=position)
    return key.sign(make_statement(names[0], history, position=position, head_hash=head_hash))


async def _names(rows: audit.Rows, pass_id: str, position: int) -> list[str]:
    """Every name of the pass then, the one that survived its merges first.

    Asked of the ledger: a projection may not have seen the last merge yet.
    """
    known = await _folded(rows, pass_id, position)
    while known.survivor:
        known = await _folded(rows, known.survivor, position)
    names = [known.pass_id]
    for name in names:
        absorbed = (await _folded(rows, name, position)).absorbed
        names += [other for other in absorbed if other not in names]
    return names


async def _folded(rows: audit.Rows, pass_id: str, position: int) -> Pass:
    history = await audit.history(rows, [pass_id], position=position)
    known = reduce(lambda known, recorded: known.evolve(recorded.event), history, Pass())
    if not known.opened:
        raise NotFound()
    return known
