"""Config: what operators may change while the product runs, one stream a key, never overwritten.

Each version is an event and a row of `mega_admin`. A key has a schema and a default here; the
default is version 0 and stands in no stream. Spec `contract.md` §7, `invariants.md` I-40.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from domain.contexts import DEFAULT_CONTEXTS, must_answer
from domain.event import Event, Refused, event
from domain.levels import DEFAULT_LEVELS, LEVELS_KEY, levels_of
from domain.provider_registry import DEFAULT_DEFAULTS, DEFAULT_REGISTRY
from domain.providers import REGISTRY_KEY, defaults_key, defaults_of, registry_of
from domain.studio_config import NAME, STUDIO_KINDS

BY_DEFAULT = "pass:mega"
"""Who set what nobody set."""


class InvalidConfig(Refused):
    """There is no such config, or its value does not fit."""


def config_stream(key: str) -> str:
    return f"app_config:{key}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a key may hold: `check` raises ValueError for a value that does not fit."""

    default: Any
    check: Callable[[Any], object]


KINDS: Mapping[str, Kind] = {
    LEVELS_KEY: Kind(DEFAULT_LEVELS, levels_of),
    **{key: Kind(default, check) for key, (default, check) in STUDIO_KINDS.items()},
    REGISTRY_KEY: Kind(DEFAULT_REGISTRY, registry_of),
    **{key: Kind(ctx, partial(must_answer, ctx)) for key, ctx in DEFAULT_CONTEXTS.items()},
}


_defaults_key = re.compile(re.escape(defaults_key("\0")).replace("\0", f"({NAME.pattern})"))


def kind_of(key: str) -> Kind | None:
    """None: there is no such config. A provider's defaults may be set before it is registered."""
    if provider := _defaults_key.fullmatch(key):
        return Kind(DEFAULT_DEFAULTS.get(provider[1]), defaults_of)
    return KINDS.get(key)


@event("config_set.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigSet(Event):
    """`mg_id` names this version: `app_config:<key>:<version>`; `pass_id` set it."""

    mg_id: str
    key: str
    version: int
    value: Any
    pass_id: str

    @property
    def stream(self) -> str:
        return config_stream(self.key)


@dataclass(frozen=True, slots=True)
class Config:
    versions: tuple[ConfigSet, ...] = ()

    # Questions.

    @property
    def version(self) -> int:
        """0: the default."""
        return len(self.versions)

    def at(self, key: str, version: int) -> Any:
        if version:
            return self.versions[version - 1].value
        kind = kind_of(key)
        return kind.default if kind else None

    def value(self, key: str) -> Any:
        return self.at(key, self.version)

    # Decisions.

    def set(self, key: str, value: Any, by: str) -> list[Event]:
        """A new version; the value that it has already makes none."""
        kind = kind_of(key)
        if kind is None:
            raise InvalidConfig(f"(there is no {key[:100]})")
        try:
            kind.check(value)
        except ValueError as wrong:
            raise InvalidConfig(f"({key} {wrong})") from None
        return [] if value == self.value(key) else [self._next(key, value, by)]

    def adopt(self, key: str) -> list[Event]:
        """Makes the default a version of its own, so that what used it can name a row."""
        value = self.value(key)
        return [] if self.version or value is None else [self._next(key, value, BY_DEFAULT)]

    def _next(self, key: str, value: Any, by: str) -> ConfigSet:
        version = self.version + 1
        id_ = f"{config_stream(key)}:{version}"
        return ConfigSet(mg_id=id_, key=key, version=version, value=value, pass_id=by)

    # History.

    def evolve(self, event: Event) -> Config:
        return Config((*self.versions, event)) if isinstance(event, ConfigSet) else self
