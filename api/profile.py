"""My pass as the studio shows it: who I am, what matcha I have, when I was seen (seed 001 §9.2)."""

from __future__ import annotations

from datetime import UTC
from functools import reduce
from typing import Any

from starlette.requests import Request

from api.asking import Moment
from api.creating import checkout_url
from api.deps import parts_of
from api.history import NOW
from api.principal import Principal
from api.problems import NotFound
from api.reading import SQL
from domain.matcha import MatchaAccount, matcha_stream
from domain.passes import Pass

KINDS = {"eip155": "evm", "solana": "solana"}


async def profile(request: Request, who: Principal, then: Moment | None) -> dict[str, Any]:
    """By the ledger, now or as it was; NotFound before the pass was opened."""
    parts, when = parts_of(request), then or NOW
    account = matcha_stream(who.pass_id)
    history = when.past(await parts.ledger.history([who.pass_id, account]))
    known = reduce(
        lambda known, recorded: known.evolve(recorded.event),
        (recorded for recorded in history if recorded.stream != account),
        Pass(),
    )
    if then and not known.opened:
        raise NotFound()
    matcha = reduce(
        lambda known, recorded: known.evolve(recorded.event),
        (recorded for recorded in history if recorded.stream == account),
        MatchaAccount(),
    )
    named = [name.partition(":") for name in known.identities]
    asked = {"names": list(who.names), "position": when.position, "time": when.time}
    ((last_active,),) = await parts.reader.rows(SQL["last_active"], asked)
    expires_at = matcha.expires_at
    return {
        "pass_id": who.pass_id,
        "email": known.email or None,
        "matcha": matcha.balance,
        "matcha_available": matcha.available(when.time or parts.clock.now()),
        "matcha_owed": matcha.owed,
        "expires_at": expires_at.isoformat() if expires_at else None,
        "last_active": last_active.astimezone(UTC).isoformat() if last_active else None,
        "checkout_url": checkout_url(parts, who.pass_id),
        "aliases": list(who.names[1:]),
        "identities": list(known.identities),
        "wallets": [{"kind": KINDS[k], "address": a} for k, _, a in named if k in KINDS],
        "scopes": sorted(who.scopes),
    }
