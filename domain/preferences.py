"""Preferences: what a pass never wants to see, and what it leans to (seed 001 §12.3, §12.4).

Said as a whole each time; the newest is the snapshot in `mega_customers.mg_mma_preferences`. What
a page tells without naming a generation is a record of its own and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from domain.event import Event, SecretLeaves, event, secret
from domain.state import changed

BLOCKS_MAX = 100
TAGS_MAX = 200
TAG_MAX = 100
WEIGHT_MAX = 100


def preferences_stream(pass_id: str) -> str:
    return f"preferences:{pass_id}"


@event("preference_set.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceSet(Event):
    """`mma_preferences` is {"hard_blocks": [text, …], "tag_weights": {tag: integer}}; `mg_id` is
    `mma_event:<id>`, `meta` what `mg_meta` shows."""

    mg_id: str
    pass_id: str
    meta: dict[str, Any]
    mma_preferences: dict[str, Any]

    @property
    def stream(self) -> str:
        return preferences_stream(self.pass_id)


@event("mma_event_noted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MmaEventNoted(Event):
    """A page told of something that names no generation; the stream is the record itself."""

    mg_id: str
    pass_id: str
    meta: SecretLeaves

    @property
    def stream(self) -> str:
        return self.mg_id


@dataclass(frozen=True)
class Preferences:
    hard_blocks: tuple[str, ...] = ()
    tag_weights: dict[str, int] = field(default_factory=dict)

    def set(
        self, pass_id: str, event_id: str, hard_blocks: tuple[str, ...], tag_weights: dict[str, int]
    ) -> list[Event]:
        """Silent when they are what they were."""
        blocks = tuple(dict.fromkeys(hard_blocks))
        if (blocks, tag_weights) == (self.hard_blocks, self.tag_weights):
            return []
        chosen = {"hard_blocks": list(blocks), "tag_weights": tag_weights}
        return [
            PreferenceSet(
                mg_id=f"mma_event:{event_id}",
                pass_id=pass_id,
                meta={"event_type": "preference_set"},
                mma_preferences=chosen,
            )
        ]

    def evolve(self, event: Event) -> Preferences:
        match event:
            case PreferenceSet(mma_preferences=chosen):
                blocks, weights = tuple(chosen["hard_blocks"]), dict(chosen["tag_weights"])
                return changed(self, hard_blocks=blocks, tag_weights=weights)
        return self


@dataclass(frozen=True)
class Noted:
    """A record of one event: told once, whatever is asked again."""

    told: bool = False

    def note(self, pass_id: str, event_id: str, type_: str, more: str = "") -> list[Event]:
        """`more` is what the page adds, as JSON text."""
        if self.told:
            return []
        meta: dict[str, Any] = {"event_type": type_, **({"more": secret(more)} if more else {})}
        return [MmaEventNoted(mg_id=f"mma_event:{event_id}", pass_id=pass_id, meta=meta)]

    def evolve(self, event: Event) -> Noted:
        return changed(self, told=True)
