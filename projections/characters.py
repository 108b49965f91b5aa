"""characters: every role card of every pass, as `GET /characters` shows it. Nothing ever leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from domain.character import Character, CharacterEvent, character_stream
from domain.mint_view import describe_character
from domain.order import Order
from domain.order_events import OrderEvent
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class Card:
    """A character with its orders by id, and the version of each stream that is folded in."""

    position: int
    character: Character = field(default_factory=Character)
    orders: dict[str, Order] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def order(self) -> Order | None:
        """The order that counts: the one that the character names."""
        return self.orders.get(self.character.order_id)


class Characters(Projection[Card]):
    name = "characters"
    version = 2
    topics = topics_of(CharacterEvent, OrderEvent)
    state = Card

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, CharacterEvent | OrderEvent)
        return (event.character_id,)

    def fold(self, key: str, state: Card | None, recorded: Recorded) -> Card:
        card = state or Card(recorded.position)
        character, orders, event = card.character, card.orders, recorded.event
        if isinstance(event, CharacterEvent):
            character = character.evolve(event)
        elif isinstance(event, OrderEvent):
            order = orders.get(event.order_id, Order()).evolve(event)
            orders = {**orders, event.order_id: order}
        versions = {**card.versions, recorded.stream: recorded.version}
        return Card(card.position, character, orders, versions)

    def record(self, key: str, state: Card) -> dict[str, Any]:
        view = self.view(state)
        return {
            "character_id": key,
            "pass_id": state.character.pass_id,
            "position": state.position,
            "mint_ui_state": view["mint_ui_state"],
            "mint_order_status": view["mint_order_status"],
            "image_status": view["image_status"],
            "view": view,
            "state": msgspec.json.encode(state).decode(),
        }

    def view(self, card: Card) -> dict[str, Any]:
        """The body of `GET /characters/{id}`."""
        order = card.order
        streams = [character_stream(card.character.character_id)]
        streams += [order.stream] if order else []
        because = [f"{stream}/{card.versions.get(stream, 0)}" for stream in streams]
        return describe_character(card.character, order, because)
