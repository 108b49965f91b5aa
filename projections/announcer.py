"""An announcer folds one kind of stream and says when passes should hear of a change.

What it folds must follow from the events alone, so that the feed can be rebuilt.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from ledger.codec import Recorded

S = TypeVar("S")


class Announcer(Generic[S]):
    """`kind` names its list in a snapshot, `type` its live events, `state` is what `fold` keeps."""

    kind: ClassVar[str]
    type: ClassVar[str]
    topics: ClassVar[frozenset[str]]
    state: ClassVar[Any]

    def key(self, event: Any) -> str:
        """What the event is about; ids are unique within a kind."""
        raise NotImplementedError

    def fold(self, state: S | None, recorded: Recorded) -> S:
        raise NotImplementedError

    def owner(self, state: S) -> str:
        """The pass that is told."""
        raise NotImplementedError

    def show(self, state: S) -> dict[str, Any] | None:
        """How things stand, for a snapshot; None: there is nothing to be shown."""
        raise NotImplementedError

    def tell(
        self, before: S | None, after: S, recorded: Recorded
    ) -> tuple[str, dict[str, Any]] | None:
        """(type, data) of the live event, by default whenever what is shown changed."""
        shown = self.show(after)
        was = None if before is None else self.show(before)
        return None if shown is None or shown == was else (self.type, shown)
