"""The two things a decision can yield: events (facts, past tense) or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, TypeVar

Secret = Annotated[str, "secret"]
"""A personal or secret text: stored under the key of its pass, absent from every topic."""

SecretLeaves = Annotated[dict[str, Any], "secret leaves"]
"""JSON with personal texts in it, each put there by `secret`: these alone are treated as Secret."""

SECRET: Final = "$secret"

ERASED: Final = "[erased]"
"""What a secret reads as once the key of its pass is gone."""


def secret(text: str) -> dict[str, str]:
    """A personal text in its place within SecretLeaves."""
    return {SECRET: text}


def plain(value: Any) -> Any:
    """SecretLeaves as people read them: each secret as its text."""
    return with_leaves(value, lambda text: text)


def with_leaves(value: Any, put: Callable[[str], Any]) -> Any:
    """The same JSON with `put(text)` in the place of each secret."""
    if isinstance(value, dict):
        if value.keys() == {SECRET} and isinstance(value[SECRET], str):
            return put(value[SECRET])
        return {name: with_leaves(inner, put) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_leaves(inner, put) for inner in value]
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact of one stream. The topic is what the ledger stores, so it is never renamed."""

    TOPIC: ClassVar[str]

    @property
    def stream(self) -> str:
        raise NotImplementedError(f"{type(self).__name__} names no stream")


class Refused(Exception):
    """The request cannot be granted."""

    @property
    def sentence(self) -> str:
        """What the caller reads: the docstring of the refusal, then its particulars."""
        return " ".join([" ".join((self.__doc__ or "").split()), *map(str, self.args)])


E = TypeVar("E", bound=type[Event])
_types: dict[str, type[Event]] = {}


def event(topic: str) -> Callable[[E], E]:
    """Registers an event class under its global, versioned name, such as `order_opened.v1`."""

    def register(cls: E) -> E:
        if topic in _types:
            raise ValueError(f"two events are called {topic}")
        cls.TOPIC = topic
        _types[topic] = cls
        return cls

    return register


def event_types() -> Mapping[str, type[Event]]:
    return _types
