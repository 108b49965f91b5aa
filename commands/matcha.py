"""What can be asked of a pass's matcha: to look at it, to welcome a pass, to end what is due.

Whoever grants, spends or takes matcha sees the account of the pass that owns it today, through
merges: `WithMatcha`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from commands.command import Command, Seen
from commands.passes import current_pass, followed, matcha_of, survivors
from domain.claim import Claim, welcome_claim
from domain.config import Config, config_stream
from domain.event import Event
from domain.matcha import MatchaAccount, NewLot, matcha_stream
from domain.matcha_lots import WELCOME
from domain.studio_config import WELCOME_KEY, welcome_of

WELCOME_LASTS = timedelta(days=30)
"""Free matcha expires 30 days after the pass was opened (seed 001 §5.2)."""


class WithMatcha(Command):
    """Sees the matcha of the pass that `whose` means today."""

    def whose(self, seen: Seen) -> str:
        """A pass id, merged away perhaps; empty while what leads to it is not in sight."""
        raise NotImplementedError

    def reads(self, seen: Seen) -> Iterator[str]:
        if owner := self.whose(seen):
            yield from survivors(seen, owner)
            if followed(seen, owner):
                yield matcha_stream(self.pass_id(seen))

    def account(self, seen: Seen) -> MatchaAccount:
        return seen.get(MatchaAccount, matcha_stream(self.pass_id(seen)))

    def pass_id(self, seen: Seen) -> str:
        owner = self.whose(seen)
        return current_pass(seen, owner).pass_id or owner


class SeeMatcha(WithMatcha):
    """Decides nothing: for `look`, `/me` and the gate before a creation."""

    owner: str

    def whose(self, seen: Seen) -> str:
        return self.owner

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []

    def shown(self, seen: Seen, at: datetime) -> dict[str, Any]:
        """As `/me` tells it: whole matcha, and until when the last of it lasts, RFC 3339 or null.
        What is past its date is not available, whether its expiry is recorded yet or not."""
        account = self.account(seen)
        expires_at = account.expires_at
        return {
            "matcha": account.balance,
            "matcha_available": account.available(at),
            "matcha_owed": account.owed,
            "expires_at": expires_at.isoformat() if expires_at else None,
        }


class GrantWelcome(SeeMatcha):
    """Free matcha for a pass that comes to the studio: once a pass, whatever it absorbs, and once
    for each of its identities (`decisions.md` C31). Asked at every visit."""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield config_stream(WELCOME_KEY)
        yield from super().reads(seen)
        if followed(seen, self.owner):
            yield from self._claims(seen)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        opened_at = current_pass(seen, self.owner).opened_at
        account = matcha_of(seen, self.pass_id(seen))
        amount = welcome_of(seen.get(Config, config_stream(WELCOME_KEY)).value(WELCOME_KEY))
        taken = any(seen.get(Claim, claim).taken for claim in self._claims(seen))
        if not amount or opened_at is None or taken or account.welcomed:
            return []
        expires_at, owner = opened_at + WELCOME_LASTS, self.pass_id(seen)
        if expires_at <= at:
            return []
        lot = NewLot(f"{WELCOME}:{owner}", "free", amount, expires_at, WELCOME)
        claims = (Claim().take(claim, owner) for claim in self._claims(seen))
        return [*account.grant(owner, lot, at), *(event for took in claims for event in took)]

    def _claims(self, seen: Seen) -> list[str]:
        return [welcome_claim(name) for name in current_pass(seen, self.owner).identities]


class ExpireMatcha(SeeMatcha):
    """Lots and holds whose time is over, now that it is."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        owner = self.pass_id(seen)
        return matcha_of(seen, owner).expire(owner, at)
