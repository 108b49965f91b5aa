"""How token levels say no; each docstring is what the customer reads (seed 002)."""

from __future__ import annotations

from typing import Any

from domain.event import Refused


class NotQualified(Refused):
    """You do not qualify for this level yet; `requirements` and `progress` tell what is missing."""

    def __init__(self, members: dict[str, Any]) -> None:
        super().__init__()
        self.members = members


class AlreadyUnlocked(Refused):
    """You have a level token already."""


class NoToken(Refused):
    """There is no level token of yours that could be upgraded."""


class TopLevel(Refused):
    """There is no level above yours."""


class UpgradeUnderway(Refused):
    """Your last transaction may still land, or your new token is on its way; nothing more is asked
    of you until that is known."""


class UpgradeOver(Refused):
    """The time to sign is over and nothing was burned or minted; ask for it again."""


class SecondPersonRequired(Refused):
    """A compensation needs a second person: somebody else has to send the same."""


class NothingOwed(Refused):
    """No token is owed here any more, so there is nothing to decide."""


class LevelTooLow(Refused):
    """A compensation is equivalent or superior: the level must not be below what is owed."""


class LevelUnknown(Refused):
    """There is no such level."""
