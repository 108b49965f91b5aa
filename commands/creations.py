"""What can be asked for in the studio: a still, a tweak of one, a video. Matcha is held with it.

The cost and the provider are frozen in what is begun; the hold and the request are one append.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from commands.command import Answer, Command, Seen
from commands.passes import current_pass, followed, matcha_of, survivors
from domain.config import Config, config_stream
from domain.event import Event
from domain.generation import DEADLINES, HOLD, Generation
from domain.generation_events import (
    CreationBegun,
    EventType,
    Mode,
    Origin,
    generation_stream,
)
from domain.matcha import matcha_stream
from domain.studio_config import COSTS_KEY, PROVIDERS_KEY, costs_of, providers_of

WORDS: dict[Origin, EventType] = {
    "create": "create",
    "tweak": "tweak",
    "animate": "create",
    "regenerate": "feedback",
}


class Begin(Command):
    """Begins a generation under ids of the caller's choice; raises InsufficientMatcha."""

    owner: str
    generation_id: str
    event_id: str
    brief: str = ""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from survivors(seen, self.owner)
        yield from (config_stream(COSTS_KEY), config_stream(PROVIDERS_KEY))
        yield generation_stream(self.generation_id)
        if followed(seen, self.owner):
            yield matcha_stream(self.pass_id(seen))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        generation, owner = self._generation(seen, self.generation_id), self.pass_id(seen)
        if generation.begun:
            return []
        terms = self.terms(seen, at)
        account = matcha_of(seen, owner)
        id_ = self.generation_id
        held = account.hold(owner, id_, terms.cost, terms.hold_expires_at, at)
        word = WORDS[terms.origin]
        said = generation.echo.say(id_, owner, self.event_id, word)
        return [*generation.begin(terms), *said, *held]

    def terms(self, seen: Seen, at: datetime) -> CreationBegun:
        """What is begun; refuses what cannot be."""
        raise NotImplementedError

    def pass_id(self, seen: Seen) -> str:
        return current_pass(seen, self.owner).pass_id or self.owner

    def answer(self, seen: Seen, new: bool) -> Answer:
        id_ = self.generation_id
        return Answer(202, {"generation_id": id_, "stream_url": f"/mma/stream/{id_}"})

    def _terms(
        self, seen: Seen, at: datetime, origin: Origin, mode: Mode, **what: Any
    ) -> CreationBegun:
        costs = seen.get(Config, config_stream(COSTS_KEY))
        kind = "tweak" if origin == "tweak" else mode
        makers = providers_of(seen.get(Config, config_stream(PROVIDERS_KEY)).value(PROVIDERS_KEY))
        return CreationBegun(
            generation_id=self.generation_id,
            pass_id=self.pass_id(seen),
            origin=origin,
            mma_mode=mode,
            brief=self.brief,
            cost=costs_of(costs.value(COSTS_KEY))[kind],
            costs_id=f"{config_stream(COSTS_KEY)}:{costs.version}",
            provider=makers[mode],
            begun_at=at,
            deadline_at=at + DEADLINES[mode],
            hold_expires_at=at + HOLD,
            **what,
        )

    def _generation(self, seen: Seen, generation_id: str) -> Generation:
        return seen.get(Generation, generation_stream(generation_id))


class BeginStill(Begin):
    style: str | None = None
    settings: dict[str, Any]
    assets: dict[str, Any]

    def terms(self, seen: Seen, at: datetime) -> CreationBegun:
        what = {"style": self.style, "settings": self.settings, "assets": self.assets}
        return self._terms(seen, at, "create", "still", parent_id=None, **what)


class BeginVideo(Begin):
    """`assets` has `image`, and `end_image` when there is one; `parent` is the generation that
    made the image, empty: none of ours."""

    settings: dict[str, Any]
    assets: dict[str, Any]
    parent: str = ""

    def terms(self, seen: Seen, at: datetime) -> CreationBegun:
        parent = generation_stream(self.parent) if self.parent else None
        what = {"style": None, "settings": self.settings, "assets": self.assets}
        return self._terms(seen, at, "animate", "video", parent_id=parent, **what)


class BeginFromParent(Begin):
    """Made again from feedback: everything as in the parent but the prompt."""

    parent: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        yield generation_stream(self.parent)

    def _again(self, seen: Seen, at: datetime, origin: Origin, mode: Mode) -> CreationBegun:
        known = self._generation(seen, self.parent)
        assert known.terms is not None
        settings, style, assets = known.terms.settings, known.terms.style, known.terms.assets
        what = {"style": style, "settings": settings, "assets": assets}
        parent = generation_stream(self.parent)
        return self._terms(seen, at, origin, mode, parent_id=parent, **what)


class BeginTweak(BeginFromParent):
    def terms(self, seen: Seen, at: datetime) -> CreationBegun:
        self._generation(seen, self.parent).must_be_still()
        return self._again(seen, at, "tweak", "still")


class BeginVideoAgain(BeginFromParent):
    """Feedback on a video, where config `mma.video.regeneration` is on."""

    def terms(self, seen: Seen, at: datetime) -> CreationBegun:
        self._generation(seen, self.parent).must_be_video()
        return self._again(seen, at, "regenerate", "video")
