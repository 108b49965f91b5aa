"""The state that the events of one stream lead to, now or at a moment. Secrets stay sealed."""

from __future__ import annotations

from functools import reduce
from typing import Any

import msgspec

from api.asking import Moment
from api.problems import NotFound
from commands.aggregates import Aggregate, initial
from ledger import audit

MONEY = frozenset({"amount", "price", "refund_due", "token_id", "final_token_id"})


async def replayed(rows: audit.Rows, stream: str, then: Moment | None = None) -> dict[str, Any]:
    """`{stream, version, position, time, state}`; NotFound when it had no event by then."""
    position, at = (then.position, then.time) if then else (None, None)
    history = await audit.history(rows, [stream], position=position, at=at)
    if not history:
        raise NotFound()
    start: Aggregate = initial(stream)
    state = reduce(lambda known, recorded: known.evolve(recorded.event), history, start)
    last = history[-1]
    return {
        "stream": stream,
        "version": last.version,
        "position": last.position,
        "time": audit.spoken_time(last.recorded_at),
        "state": _strings(msgspec.to_builtins(state, order="deterministic")),
    }


def _strings(value: Any) -> Any:
    """Money and token ids, which outgrow JSON's numbers, as decimal strings."""
    if isinstance(value, list | tuple):
        return [_strings(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: str(inner) if name in MONEY and isinstance(inner, int) else _strings(inner)
        for name, inner in value.items()
    }
