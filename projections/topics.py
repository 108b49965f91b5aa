"""The topics of whole families of events."""

from __future__ import annotations

from domain.event import Event, event_types


def topics_of(*families: type[Event]) -> frozenset[str]:
    """The topics of every event class below these."""
    return frozenset(topic for topic, cls in event_types().items() if issubclass(cls, families))
