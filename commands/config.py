"""What can be asked of a Config: a new version of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from commands.command import Answer, Command, Seen
from domain.config import Config, config_stream
from domain.event import Event


class SetConfig(Command):
    key: str
    value: Any
    by: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield config_stream(self.key)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self._config(seen).set(self.key, self.value, self.by)

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
