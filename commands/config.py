"""What can be asked of a Config: a new version of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from commands.command import Answer, Command, Seen
from domain.config import Config, InvalidConfig, config_stream
from domain.event import Event
from domain.providers import REGISTRY_KEY, registry_of
from domain.studio_config import PROVIDERS_KEY, providers_of

CHOICE = (REGISTRY_KEY, PROVIDERS_KEY)


class SetConfig(Command):
    key: str
    value: Any
    by: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield config_stream(self.key)
        if self.key in CHOICE:
            yield from map(config_stream, CHOICE)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        made = self._config(seen).set(self.key, self.value, self.by)
        if made and self.key in CHOICE:
            known = {key: seen.get(Config, config_stream(key)).value(key) for key in CHOICE}
            self._must_make({**known, self.key: self.value})
        return made

    def _must_make(self, known: dict[str, Any]) -> None:
        """Whoever is chosen is registered, and makes what it is chosen for."""
        makers = {row.name: row.media for row in registry_of(known[REGISTRY_KEY])}
        for media, name in providers_of(known[PROVIDERS_KEY]).items():
            if makers.get(name) != media:
                raise InvalidConfig(f"({name} is registered for no {media}; see {PROVIDERS_KEY})")

    def pass_id(self, seen: Seen) -> str:
        return self.by

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, describe_config(self.key, self._config(seen)))

    def _config(self, seen: Seen) -> Config:
        return seen.get(Config, config_stream(self.key))


class AdoptConfig(Command):
    """Sees to it that a config has a version, so that what used it can name it."""

    key: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield config_stream(self.key)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return seen.get(Config, config_stream(self.key)).adopt(self.key)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, describe_config(self.key, seen.get(Config, config_stream(self.key))))


class SeeConfig(Command):
    """Decides nothing."""

    key: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield config_stream(self.key)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []

    def config(self, seen: Seen) -> Config:
        return seen.get(Config, config_stream(self.key))


def describe_config(key: str, config: Config, version: int | None = None) -> dict[str, Any]:
    """One version, the newest unless told; version 0 is the default."""
    number = config.version if version is None else version
    return {
        "key": key,
        "version": number,
        "id": f"{config_stream(key)}:{number}",
        "value": config.at(key, number),
    }
