"""Objects as they were: their events up to a moment, through the projection's own fold and view."""

from __future__ import annotations

from typing import Any

from api.asking import Moment
from api.problems import NotFound
from domain.batch_events import batch_stream
from domain.character import OrderAttached, character_stream
from domain.generation import Generation
from domain.generation_events import generation_stream
from domain.generation_view import describe_generation
from domain.order_events import order_stream
from domain.upgrade_events import upgrade_stream
from ledger.ledger import Ledger
from projections.batches import Batches, TrackedBatch
from projections.characters import Card, Characters
from projections.mint_orders import MintOrders, Tracked
from projections.upgrades import Tracked as TrackedUpgrade
from projections.upgrades import Upgrades

NOW = Moment(position=2**63 - 1)
_characters = Characters()
_orders = MintOrders()
_batches = Batches()
_upgrades = Upgrades()


async def character_then(ledger: Ledger, id_: str, then: Moment) -> dict[str, Any]:
    """The body of `GET /characters/{id}` at a moment; NotFound before its birth."""
    own = await ledger.history([character_stream(id_)])
    orders = [order_stream(r.event.order_id) for r in own if isinstance(r.event, OrderAttached)]
    card: Card | None = None
    for recorded in then.past(await ledger.history([character_stream(id_), *orders])):
        card = _characters.fold(id_, card, recorded)
    if card is None:
        raise NotFound()
    return _characters.view(card)


async def order_then(ledger: Ledger, id_: str, then: Moment) -> dict[str, Any]:
    """The body of `GET /mint-orders/{id}` at a moment; NotFound before its birth."""
    tracked: Tracked | None = None
    for recorded in then.past(await ledger.history([order_stream(id_)])):
        tracked = _orders.fold(id_, tracked, recorded)
    if tracked is None:
        raise NotFound()
    return _orders.view(tracked)


async def batch_then(ledger: Ledger, id_: str, then: Moment) -> dict[str, Any]:
    """The body of `GET /pfp/batches/{id}` at a moment; NotFound before its birth."""
    tracked: TrackedBatch | None = None
    for recorded in then.past(await ledger.history([batch_stream(id_)])):
        tracked = _batches.fold(id_, tracked, recorded)
    if tracked is None:
        raise NotFound()
    return _batches.view(tracked)


async def upgrade_then(ledger: Ledger, owner: str, id_: str, then: Moment) -> dict[str, Any]:
    """The body of `GET /api/nft/upgrades/{id}` at a moment; NotFound before its birth."""
    tracked: TrackedUpgrade | None = None
    for recorded in then.past(await ledger.history([upgrade_stream(owner)])):
        if id_ in _upgrades.keys(recorded):
            tracked = _upgrades.fold(id_, tracked, recorded)
    if tracked is None:
        raise NotFound()
    return _upgrades.view(tracked)


async def generation_then(ledger: Ledger, id_: str, then: Moment) -> dict[str, Any]:
    """The body of `GET /mma/generations/{id}` at a moment; NotFound before its birth."""
    known = Generation()
    for recorded in then.past(await ledger.history([generation_stream(id_)])):
        known = known.evolve(recorded.event)
    if not known.begun:
        raise NotFound()
    return describe_generation(id_, known)
