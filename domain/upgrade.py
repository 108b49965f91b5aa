"""Upgrade: a pass on its way up the levels, one attempt at a time, one token at most.

Invariants: a pass has no token, one token, or an open recovery after a proven burn, never two and
never neither; a token is minted only after the proof that the old one is burned (an exchange does
both at once); a badge is consumed once. Seed 002, `invariants.md` I-20 to I-22, `decisions.md`
C18–C21.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain import upgrade_events as happened
from domain.event import Event
from domain.solana import Absence
from domain.state import changed
from domain.upgrade_attempt import Attempt
from domain.upgrade_refusals import (
    AlreadyUnlocked,
    NothingOwed,
    NoToken,
    TokenElsewhere,
    UpgradeUnderway,
)

CONFLICTS = frozenset({"vanished", "level_mismatch", "unknown_token", "second_token"})
"""Kinds of discrepancy in which the ledger stays as it is: only a person can end them."""

FAILED_KEPT = 10
"""Attempts that came to nothing and are remembered: a wallet may have sent one of them late."""


@dataclass(frozen=True, slots=True)
class LevelToken:
    """As the chain has shown it; `owner` is the wallet that it was minted to, `slot` when it was
    known to be where it is."""

    level: int
    mint: str
    owner: str
    upgrade_id: str
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Review:
    """What only a person can settle."""

    kind: happened.Discrepancy
    mint: str
    upgrade_id: str
    chain_value: str


@dataclass(frozen=True)
class Upgrade:
    """`away`: tokens that left their wallet by no doing of ours, by mint. `reviews` by mint;
    `settled`: mints whose conflict a person has closed, and which is not opened again."""

    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    last: str = ""
    token: LevelToken | None = None
    away: Mapping[str, LevelToken] = field(default_factory=dict)
    reviews: Mapping[str, Review] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()

    # Questions.

    @property
    def begun(self) -> bool:
        return bool(self.attempts) or bool(self.reviews)

    @property
    def standing(self) -> tuple[int, bool, bool]:
        """What decides between the histories of passes that were merged: the highest goes on."""
        level = self.recovery.level if self.recovery else self.level
        return level, bool(self.watched) or self.held_up, self.begun

    @property
    def climbs(self) -> bool:
        """Whether it has a token, or one is on its way."""
        coming = any(each.watched and each.open for each in self.attempts.values())
        return self.token is not None or self.recovery is not None or coming

    @property
    def attempt(self) -> Attempt | None:
        """The newest."""
        return self.attempts[self.last] if self.last else None

    @property
    def recovery(self) -> Attempt | None:
        """Whose token is owed."""
        return next((each for each in self.attempts.values() if each.owed), None)

    @property
    def watched(self) -> tuple[Attempt, ...]:
        """Attempts whose wallet's transaction may still land."""
        return tuple(each for each in self.attempts.values() if each.watched)

    @property
    def level(self) -> int:
        return self.token.level if self.token else 0

    @property
    def level_towards(self) -> int:
        """The one above which the next is counted: of the token, or of the one that is owed."""
        return self.recovery.level - 1 if self.recovery else self.level

    @property
    def taken_badges(self) -> frozenset[str]:
        """Consumed, or held by an attempt that goes on."""
        takers = (each.terms.badges for each in self.attempts.values() if each.takes_badges)
        return frozenset(badge for badges in takers for badge in badges)

    @property
    def bound_badges(self) -> frozenset[str]:
        """Those, and what a failed attempt would consume after all if it landed."""
        landing = (each.terms.badges for each in self.watched)
        return self.taken_badges.union(*landing)

    @property
    def held_up(self) -> bool:
        """Its token is in another wallet, and nobody has looked into it yet."""
        return any(mint in self.reviews for mint in self.away)

    def believes(self, mint: str) -> bool:
        """Whether the ledger knows of the token of `mint`, here or away, and of no end of it."""
        return (self.token is not None and self.token.mint == mint) or mint in self.away

    def awaits(self, mint: str) -> bool:
        """Whether a burn of its token would be in time for an attempt."""
        asking = (each for each in self.attempts.values() if each.terms.burns == mint)
        return any(each.open or each.watched for each in asking)

    def gone_on(self, mint: str) -> bool:
        """Whether the pass has, or may yet get, a token without giving up that of `mint`."""
        coming = (each for each in self.attempts.values() if each.watched or each.owed)
        other = self.token is not None and self.token.mint != mint
        return other or any(each.terms.burns != mint for each in coming)

    # Decisions.

    def offered(self, *, unlock: bool, at: datetime) -> tuple[Attempt | None, list[Event]]:
        """The attempt that is offered again to whoever asks for an unlock or an upgrade, with what
        that takes; None: a new one may begin. Raises why neither is possible."""
        if self.recovery:
            raise UpgradeUnderway()
        if unlock and self.held_up:
            raise TokenElsewhere()
        if unlock and self.token:
            raise AlreadyUnlocked()
        known = next(iter(self.watched), None)
        if known is None:
            if not unlock and self.token is None:
                raise NoToken()
            return None, []
        if unlock != (known.terms.recipe == "nft_unlock"):
            raise NoToken() if not unlock else AlreadyUnlocked()
        if known.window is not None and known.window.expires_at <= at:
            raise UpgradeUnderway()
        return known, known.reopen()

    def request(self, terms: happened.UpgradeRequested) -> list[Event]:
        """By evidence that qualifies, when `offered` lets a new one begin."""
        return [] if terms.upgrade_id in self.attempts else [terms]

    def burn(self, mint: str, owner: str, signature: str, slot: int, named: str) -> list[Event]:
        """The token of `mint` was burned. It counts once: for the attempt that goes on, or that may
        still land, else for the one that the burn itself names: nothing is lost because we had
        given it up. A burn by another wallet counts for none, nor does one before which the pass
        had gone on."""
        if not self.believes(mint) or self.gone_on(mint):
            return []
        terms = (mint, owner)
        able = [e for e in self.attempts.values() if (e.terms.burns, e.terms.wallet) == terms]
        going_on = [each for each in able if each.open or each.watched]
        meant = [each for each in able if each.terms.upgrade_id == named]
        chosen = going_on or meant
        return chosen[-1].confirm_burn(owner, signature, slot) if chosen else []

    def thwart(self, mint: str, slot: int) -> list[Event]:
        """The token of `mint` was burned, and not for us: who waits to burn it waits in vain."""
        events: list[Event] = []
        for each in self.watched:
            if each.terms.burns == mint:
                failed = each.fail("SUPPORT", "its token was burned otherwise")
                known = each.evolve(failed[0]) if failed else each
                events += [*failed, *known.lapse(Absence("", 0, slot))]
        return events

    def correct(self, found: happened.CorrectionRecorded) -> list[Event]:
        """What the chain says of a token, unless it is known. A burn is left to the attempt that
        waits for one; a token is not taken back beside another."""
        mint = found.mint
        match found.kind:
            case "burned_outside":
                awaited = any(each.terms.burns == mint for each in self.watched)
                news = self.believes(mint) and not awaited
            case "sent_away":
                news = self.believes(mint) and mint not in self.away
            case "came_back":
                news = mint in self.away and not self.gone_on(mint)
            case _:
                news = mint not in self.reviews and mint not in self.settled
        return [found] if news else []

    def second(self, pass_id: str) -> list[Event]:
        """Its pass was merged into one that goes on with another token: which of the two is to be
        kept, a person decides."""
        if self.token is None:
            return []
        found = happened.CorrectionRecorded(
            pass_id=pass_id,
            upgrade_id=self.token.upgrade_id,
            kind="second_token",
            mint=self.token.mint,
            field="token",
            ledger_value=self.token.owner,
            chain_value="the pass has another one",
            slot=self.token.slot,
            review=True,
        )
        return self.correct(found)

    def close_review(self, pass_id: str, mint: str, reason: str, by: str) -> list[Event]:
        if mint not in self.reviews:
            raise NothingOwed()
        id_ = self.reviews[mint].upgrade_id
        ids = {"pass_id": pass_id, "upgrade_id": id_}
        return [happened.ReviewClosed(**ids, mint=mint, reason=reason, by=by)]

    # History: how each fact changes what is known. It never refuses.

    def evolve(self, event: Event) -> Upgrade:
        match event:
            case happened.UpgradeRequested(upgrade_id=id_):
                attempts = {**self._remembered(), id_: Attempt(event)}
                return changed(self, attempts=attempts, last=id_)
            case happened.CorrectionRecorded():
                return self._corrected(event)
            case happened.ReviewClosed(mint=mint) if mint in self.reviews:
                left = {key: each for key, each in self.reviews.items() if key != mint}
                stays = {mint} if self.reviews[mint].kind in CONFLICTS else frozenset[str]()
                return changed(self, reviews=left, settled=self.settled | stays)
            case happened.UpgradeEvent(upgrade_id=id_) if id_ in self.attempts:
                attempts = {**self.attempts, id_: self.attempts[id_].evolve(event)}
                return changed(self._after(event), attempts=attempts)
        return self

    def _remembered(self) -> dict[str, Attempt]:
        """Without what came to nothing long ago, so that folding stays linear."""
        gone = [id_ for id_, each in self.attempts.items() if each.failed and not each.watched]
        forgotten = set(gone[: len(gone) - FAILED_KEPT + 1]) if len(gone) >= FAILED_KEPT else set()
        return {id_: each for id_, each in self.attempts.items() if id_ not in forgotten}

    def _after(self, event: happened.UpgradeEvent) -> Upgrade:
        match event:
            case happened.LevelMinted(level=level, mint=mint, owner=owner, upgrade_id=id_):
                token = LevelToken(level, mint, owner, id_, event.slot)
                return changed(self, token=token)
            case happened.BurnConfirmed(mint=mint):
                return self._without(mint)
        return self

    def _without(self, mint: str) -> Upgrade:
        """Its token is no more, wherever it was."""
        token = None if self.token and self.token.mint == mint else self.token
        away = {key: each for key, each in self.away.items() if key != mint}
        reviews = {key: each for key, each in self.reviews.items() if key != mint}
        return changed(self, token=token, away=away, reviews=reviews)

    def _corrected(self, event: happened.CorrectionRecorded) -> Upgrade:
        mint, known = event.mint, self
        match event.kind:
            case "burned_outside":
                known = self._without(mint)
            case "sent_away" if self.token:
                left = replace(self.token, slot=event.slot)
                known = changed(self, token=None, away={**self.away, mint: left})
            case "came_back" if mint in self.away:
                back = replace(self.away[mint], slot=event.slot)
                known = changed(self._without(mint), token=back)
        if not event.review:
            return known
        review = Review(event.kind, mint, event.upgrade_id, event.chain_value)
        return changed(known, reviews={**known.reviews, mint: review})
