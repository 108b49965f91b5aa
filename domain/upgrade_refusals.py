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


class TokenElsewhere(Refused):
    """Your level token is in another wallet, and somebody is looking into it; bring it back, or
    speak to us."""


class NotDecidedSo(Refused):
    """This kind of case is not decided this way: what is owed is retried or compensated, a conflict
    or a failure is resolved."""


class LevelWalletRequired(Refused):
    """Link a Solana wallet to your pass first; the token is minted to it."""


class NoToken(Refused):
    """There is no level token of yours that could be upgraded."""


class TopLevel(Refused):
    """There is no level above yours."""


class UpgradeUnderway(Refused):
    """The transaction that was prepared for you may still land, or your new token is on its way;
    nothing more is asked of you until that is known, within two minutes."""


class UpgradeOver(Refused):
    """The time to sign is over and nothing was burned or minted; ask for it again."""


class SecondPersonRequired(Refused):
    """A compensation needs a second person: somebody else has to send the same."""


class NothingOwed(Refused):
    """This case is over, so there is nothing to decide any more."""


class LevelTooLow(Refused):
    """A compensation is equivalent or superior: the level must not be below what is owed."""


class LevelUnknown(Refused):
    """There is no such level."""


class TooManySubmissions(Refused):
    """Too many transactions were handed in for this; one of them may still land. Wait for that."""
