"""Pass: who asks and pays. Its id is the one at first sight; later identities are aliases.

An identity (`eip155:0x…`, `solana:…`, `email:<hash>`, `fid:…`, `google:…`) leads to one pass, by a
claim. Linking one that leads elsewhere merges the two: the older survives, the other id stays an
alias. History is never rewritten. Seed 001 §11.1, `contract.md` §2, `decisions.md` C17.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.event import ERASED, Event, Refused, Secret, event

IDENTITIES_MAX = 50


class TooManyIdentities(Refused):
    """This pass already has as many identities as a pass may have."""


def identity_claim(identity: str) -> str:
    return f"claim:identity:{identity}"


def session_claim(session_id: str) -> str:
    return f"claim:session:{session_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassEvent(Event):
    pass_id: str

    @property
    def stream(self) -> str:
        return self.pass_id


@event("pass_opened.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PassOpened(PassEvent):
    opened_at: datetime


@event("identity_linked.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityLinked(PassEvent):
    identity: str


@event("email_verified.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class EmailVerified(PassEvent):
    """Whoever has this pass reads the mail to `email`, the one that `identity` stands for. The last
    one is where the pass is written to."""

    identity: str
    email: Secret


@event("pass_merged.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PassMerged(PassEvent):
    """Written to the pass that survives: `absorbed` is from now on one of its names."""

    absorbed: str
    identities: tuple[str, ...]


@event("pass_absorbed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PassAbsorbed(PassEvent):
    """Written to the pass that ends: whoever names it means `survivor`."""

    survivor: str


@event("upgrade_begun.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeBegun(PassEvent):
    """This pass asked for a level. It stands here too, so that a merge at the same moment and the
    request cannot both go through unseen by the other."""

    upgrade_id: str


@event("session_ended.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(PassEvent):
    """The token with this id is refused from now on; `expires_at` is when it would have ended."""

    session_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Pass:
    pass_id: str = ""
    opened_at: datetime | None = None
    identities: tuple[str, ...] = ()
    absorbed: tuple[str, ...] = ()
    survivor: str = ""
    ended: frozenset[str] = frozenset()
    email_identity: str = ""
    email: str = field(default="", repr=False)

    # Questions.

    @property
    def opened(self) -> bool:
        return bool(self.pass_id)

    @property
    def evm_wallets(self) -> frozenset[str]:
        """Addresses in lower case."""
        found = (name.removeprefix("eip155:") for name in self.identities if "eip155:" in name)
        return frozenset(found)

    @property
    def solana_wallets(self) -> frozenset[str]:
        """Addresses as they are; case matters."""
        of_chain = (name for name in self.identities if name.startswith("solana:"))
        return frozenset(name.removeprefix("solana:") for name in of_chain)

    # Decisions: what the business does when asked. Asked again, it does nothing more.

    def open(self, pass_id: str, at: datetime) -> list[Event]:
        return [] if self.opened else [PassOpened(pass_id=pass_id, opened_at=at)]

    def link(self, pass_id: str, identity: str) -> list[Event]:
        if identity in self.identities:
            return []
        if len(self.identities) >= IDENTITIES_MAX:
            raise TooManyIdentities(f"({IDENTITIES_MAX})")
        return [IdentityLinked(pass_id=pass_id, identity=identity)]

    def verify_email(self, pass_id: str, identity: str, email: str) -> list[Event]:
        """`email` empty: there is none to verify."""
        if not email or email == self.email:
            return []
        return [EmailVerified(pass_id=pass_id, identity=identity, email=email)]

    def absorb(self, other: Pass) -> list[Event]:
        """Both halves of a merge, for one append; what the other had absorbed comes along."""
        if other.pass_id in self.absorbed:
            return []
        gained = tuple(name for name in other.identities if name not in self.identities)
        ended = other.pass_id
        came_along = [
            PassMerged(pass_id=self.pass_id, absorbed=name, identities=())
            for name in other.absorbed
        ]
        return [
            PassMerged(pass_id=self.pass_id, absorbed=ended, identities=gained),
            *came_along,
            PassAbsorbed(pass_id=ended, survivor=self.pass_id),
        ]

    def begin_upgrade(self, upgrade_id: str) -> list[Event]:
        return [UpgradeBegun(pass_id=self.pass_id, upgrade_id=upgrade_id)] if self.opened else []

    def end_session(self, session_id: str, expires_at: datetime) -> list[Event]:
        if session_id in self.ended:
            return []
        ids = {"pass_id": self.pass_id, "session_id": session_id}
        return [SessionEnded(**ids, expires_at=expires_at)]

    # History: how each fact changes what is known. It never refuses.

    def evolve(self, event: Event) -> Pass:
        match event:
            case PassOpened(pass_id=pass_id, opened_at=at):
                return replace(self, pass_id=pass_id, opened_at=at)
            case IdentityLinked(identity=identity):
                return replace(self, identities=(*self.identities, identity))
            case EmailVerified(identity=identity, email=email):
                return replace(
                    self, email_identity=identity, email="" if email == ERASED else email
                )
            case PassMerged(absorbed=absorbed, identities=gained):
                names = (*self.identities, *gained)
                return replace(self, absorbed=(*self.absorbed, absorbed), identities=names)
            case PassAbsorbed(survivor=survivor):
                return replace(self, survivor=survivor)
            case SessionEnded(session_id=session_id):
                return replace(self, ended=self.ended | {session_id})
        return self
