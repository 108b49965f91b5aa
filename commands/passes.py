"""What can be asked of a Pass: to be found or opened by a proven identity, to merge, to leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pydantic import Field

from commands.command import Answer, Command, Seen
from domain.claim import Claim
from domain.credit_account import CreditAccount, account_stream
from domain.event import Event, Refused
from domain.matcha import MatchaAccount, matcha_stream
from domain.passes import Pass, identity_claim
from domain.preferences import Preferences, preferences_stream
from domain.upgrade import Upgrade
from domain.upgrade_events import upgrade_stream
from ledger.errors import StreamConflict

MERGED = (account_stream, matcha_stream, preferences_stream)
"""What of each pass a merge looks at, besides the pass."""


class NonceUsed(Refused):
    """This nonce was used before; ask for a new one."""


def survivors(seen: Seen, pass_id: str) -> Iterator[str]:
    """The streams from a pass id to the pass that it means today, the last being that pass."""
    while pass_id:
        yield pass_id
        pass_id = seen.get(Pass, pass_id).survivor if pass_id in seen else ""


def followed(seen: Seen, pass_id: str) -> bool:
    """Whether every pass on the way is in sight, so that `current_pass` can tell the last."""
    return all(name in seen for name in survivors(seen, pass_id))


def current_pass(seen: Seen, pass_id: str) -> Pass:
    return seen.get(Pass, list(survivors(seen, pass_id))[-1])


def matcha_of(seen: Seen, pass_id: str) -> MatchaAccount:
    """The account to decide on, of what `current_pass` has told. A merge between the look at the
    pass and the one at its matcha leaves an account that says so: StreamConflict, look again."""
    stream = matcha_stream(pass_id)
    account = seen.get(MatchaAccount, stream)
    if account.moved_to:
        raise StreamConflict(stream)
    return account


def credits_of(seen: Seen, pass_id: str) -> CreditAccount:
    """The same of PFP credits."""
    stream = account_stream(pass_id)
    account = seen.get(CreditAccount, stream)
    if account.moved_to:
        raise StreamConflict(stream)
    return account


def email_of(seen: Seen, pass_id: str) -> str | None:
    """Where the pass that `pass_id` means today is written to: the email that was verified last.
    None: none was, or it was erased. For `SeePass` and whatever else has the pass in sight."""
    return current_pass(seen, pass_id).email or None


class Identify(Command):
    """Signs in or links: `identity` is proven. Without `current` it finds or opens its pass.

    With `current` (the pass that asks) an unknown identity is linked to it, and one that leads to
    another pass merges the two: the older survives. A `guest` brings a pass that counts only while
    nobody has signed in to it: what two people prove in one browser does not make them one.
    `email` is what an identity `email:<hash>` stands for: the pass is written to there from now on.
    """

    identity: str
    new_pass_id: str
    current: str | None = None
    guest: bool = False
    email: str = Field(default="", repr=False)

    def reads(self, seen: Seen) -> Iterator[str]:
        claim = identity_claim(self.identity)
        yield claim
        yield from survivors(seen, self.new_pass_id)
        if self.current:
            yield from survivors(seen, self.current)
        if claim in seen and (holder := seen.get(Claim, claim).holder):
            yield from survivors(seen, holder)
            asking = self.current or ""
            if asking and followed(seen, asking) and followed(seen, holder):
                names = (*survivors(seen, asking), *survivors(seen, holder))
                yield from (stream(name) for name in names for stream in MERGED)
                yield from map(upgrade_stream, self._names(seen, asking, holder))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        claim = identity_claim(self.identity)
        holder = seen.get(Claim, claim).holder
        here = self._here(seen)
        if not holder:
            opened = here.open(here.pass_id or self.new_pass_id, at)
            target = here.pass_id or self.new_pass_id
            taken = Claim().take(claim, target)
            linked = here.link(target, self.identity)
            return [*opened, *linked, *taken, *self._reached(here, target)]
        there = current_pass(seen, holder)
        if not self._asking(seen) or there.pass_id == here.pass_id:
            return self._reached(there, there.pass_id)
        older, younger = sorted((here, there), key=lambda p: (p.opened_at or at, p.pass_id))
        moved = _moved_credits(seen, older, younger, at)
        names = self._names(seen, older.pass_id, younger.pass_id)
        moved += _moved_preferences(seen, older, younger)
        merged = [*older.absorb(younger), *moved, *_second_tokens(seen, names)]
        return [*merged, *(self._reached(older, older.pass_id) or _moved_email(older, younger))]

    def pass_id(self, seen: Seen) -> str:
        return self._found(seen).pass_id or self.new_pass_id

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"pass_id": self._found(seen).pass_id})

    def _reached(self, known: Pass, pass_id: str) -> list[Event]:
        return known.verify_email(pass_id, self.identity, self.email)

    def _names(self, seen: Seen, *pass_ids: str) -> list[str]:
        """All that these passes are called, the ones they have absorbed too."""
        found = [current_pass(seen, pass_id) for pass_id in pass_ids]
        return list(dict.fromkeys(n for one in found for n in (one.pass_id, *one.absorbed) if n))

    def _here(self, seen: Seen) -> Pass:
        return current_pass(seen, self._asking(seen) or self.new_pass_id)

    def _asking(self, seen: Seen) -> str | None:
        taken = self.guest and self.current and current_pass(seen, self.current).identities
        return None if taken else self.current

    def _found(self, seen: Seen) -> Pass:
        holder = seen.get(Claim, identity_claim(self.identity)).holder
        return current_pass(seen, holder) if holder in seen else self._here(seen)


def _moved_email(older: Pass, younger: Pass) -> list[Event]:
    """A pass without an email is written to where the one it absorbs was."""
    if older.email:
        return []
    return older.verify_email(older.pass_id, younger.email_identity, younger.email)


def _moved_credits(seen: Seen, older: Pass, younger: Pass, at: datetime) -> list[Event]:
    credits = credits_of(seen, younger.pass_id)
    moved = credits.move(younger.pass_id, older.pass_id) if younger.solana_wallets else []
    there, matcha = matcha_of(seen, older.pass_id), matcha_of(seen, younger.pass_id)
    return [*moved, *matcha.move(younger.pass_id, older.pass_id, there, at)]


def _moved_preferences(seen: Seen, older: Pass, younger: Pass) -> list[Event]:
    """A pass that has not said what it never wants to see goes by what the one it absorbs said."""
    mine = seen.get(Preferences, preferences_stream(older.pass_id))
    theirs = seen.get(Preferences, preferences_stream(younger.pass_id))
    if mine != Preferences():
        return []
    chosen = (theirs.hard_blocks, theirs.tag_weights)
    return mine.set(older.pass_id, f"merged:{younger.pass_id}", *chosen)


def _second_tokens(seen: Seen, names: Sequence[str]) -> list[Event]:
    """Of passes that become one, the highest goes on; another token of theirs is reviewed."""
    known = {name: seen.get(Upgrade, upgrade_stream(name)) for name in names}
    highest = max(known, key=lambda name: known[name].standing)
    return [event for name, one in known.items() if name != highest for event in one.second(name)]


class SeePass(Command):
    """Looks at a pass, through merges, and records nothing: for `look` and `current_pass`."""

    asked: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from survivors(seen, self.asked)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class SeeIdentity(Command):
    """Looks for the pass that an identity leads to today, and records nothing."""

    identity: str

    def reads(self, seen: Seen) -> Iterator[str]:
        claim = identity_claim(self.identity)
        yield claim
        if claim in seen:
            yield from survivors(seen, seen.get(Claim, claim).holder)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []

    def pass_id(self, seen: Seen) -> str | None:
        """None: nobody has proven it."""
        names = list(survivors(seen, seen.get(Claim, identity_claim(self.identity)).holder))
        return names[-1] if names else None


def opened_with(seen: Seen, pass_id: str, names: Iterable[str], at: datetime) -> list[Event]:
    """The pass that `pass_id` leads to, opened when it is not, with these identities listed; those
    that nobody holds lead to it from now on."""
    known = current_pass(seen, pass_id)
    target = known.pass_id or pass_id
    events = known.open(target, at)
    for name in names:
        claim = identity_claim(name)
        events += known.link(target, name)
        if not seen.get(Claim, claim).taken:
            events += Claim().take(claim, target)
    return events


class OpenPass(Command):
    """Opens a pass under an id of the caller's choice, with identities that nobody had to prove.

    For anonymous passes, and for `/auth/dev`, which vouches for its callers: an identity that
    already leads elsewhere stays there and is only listed here.
    """

    new_pass_id: str
    identities: tuple[str, ...] = ()

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from survivors(seen, self.new_pass_id)
        yield from (identity_claim(name) for name in self.identities)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return opened_with(seen, self.new_pass_id, self.identities, at)

    def pass_id(self, seen: Seen) -> str:
        return current_pass(seen, self.new_pass_id).pass_id or self.new_pass_id

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"pass_id": self.pass_id(seen)})


class BurnNonce(Command):
    """Uses up a sign-in nonce or a socket token; the second use is refused, whatever came of it."""

    nonce: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield f"claim:nonce:{self.nonce}"

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        claim = f"claim:nonce:{self.nonce}"
        if seen.get(Claim, claim).taken:
            raise NonceUsed()
        return Claim().take(claim, "used")


class EndSession(Command):
    """Ends one session of a pass: its token is refused from now on."""

    owner: str
    session_id: str
    expires_at: datetime

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.owner

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return seen.get(Pass, self.owner).end_session(self.session_id, self.expires_at)

    def pass_id(self, seen: Seen) -> str:
        return self.owner
