"""What can be asked of an Upgrade: to unlock or upgrade, and to learn what the chain says.

The stream is that of the pass under which it began; after a merge the survivor goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import reduce

from commands.command import Answer, Command, Seen
from commands.passes import current_pass, followed, survivors
from domain.event import Event
from domain.solana import Absence, Prepared, TokenFound
from domain.upgrade import Upgrade
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import CorrectionRecorded, Discrepancy, ReasonClass, upgrade_stream
from domain.upgrade_view import describe_attempt


class WithUpgrade(Command):
    """`owner` is the pass whose stream it is."""

    owner: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield upgrade_stream(self.owner)

    def upgrade(self, seen: Seen) -> Upgrade:
        return seen.get(Upgrade, upgrade_stream(self.owner))

    def pass_id(self, seen: Seen) -> str:
        return self.owner


class SeeUpgrade(WithUpgrade):
    """Decides nothing: what a reaction looks at before it asks the outside."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class WithAttempt(WithUpgrade):
    upgrade_id: str

    def attempt(self, seen: Seen) -> Attempt:
        return self.upgrade(seen).attempts[self.upgrade_id]

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(202, describe_attempt(self.attempt(seen)))


class SubmitTransaction(WithAttempt):
    """The wallet handed in its transaction, checked and whole; without `raw` it sent one itself
    that it calls `signature`."""

    raw: str
    signature: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.attempt(seen).submit(self.raw, self.signature, at)


class FailAttempt(WithAttempt):
    """It did nothing, and will not as it is."""

    reason_class: ReasonClass
    reason: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.attempt(seen).fail(self.reason_class, self.reason)


class LapseAttempt(WithAttempt):
    """Its transaction can never land any more."""

    proof: Absence

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.attempt(seen).lapse(self.proof)


class ConfirmBurn(WithUpgrade):
    """The chain shows, finalized, that the token of `mint` was burned; `named` is the attempt that
    the burn's memo names. Outside any attempt it is a correction of what we believed."""

    mint: str
    burned_by: str
    signature: str
    slot: int
    named: str = ""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        yield from survivors(seen, self.owner)
        if followed(seen, self.owner):
            yield from map(upgrade_stream, self._names(seen))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        upgrade = self.upgrade(seen)
        counted = upgrade.burn(self.mint, self.burned_by, self.signature, self.slot, self.named)
        others = (seen.get(Upgrade, upgrade_stream(n)) for n in self._names(seen) - {self.owner})
        if counted and (upgrade.awaits(self.mint) or not any(one.climbs for one in others)):
            return counted
        in_vain = upgrade.thwart(self.mint, self.slot)
        known = reduce(lambda known, event: known.evolve(event), in_vain, upgrade)
        return [*in_vain, *self._outside(known)]

    def _names(self, seen: Seen) -> set[str]:
        """Every name of the pass that it is today: one that was merged may go on by another."""
        known = current_pass(seen, self.owner)
        return {known.pass_id or self.owner, *known.absorbed}

    def _outside(self, upgrade: Upgrade) -> list[Event]:
        token = upgrade.away.get(self.mint) or upgrade.token
        if token is None:
            return []
        outside = CorrectionRecorded(
            pass_id=self.owner,
            upgrade_id=token.upgrade_id,
            kind="burned_outside",
            mint=self.mint,
            field="token",
            ledger_value=token.owner,
            chain_value="burned",
            slot=self.slot,
            review=False,
        )
        return upgrade.correct(outside)


class RecordLevel(WithAttempt):
    """The chain shows the token of an unlock or a mint, finalized; for an exchange the burn too."""

    token: TokenFound
    level: int
    cid: str
    signature: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        attempt = self.attempt(seen)
        burned: list[Event] = []
        if attempt.terms.recipe == "nft_exchange":
            owner, slot = attempt.terms.wallet, self.token.slot
            burned = attempt.confirm_burn(owner, self.signature, slot)
        attempt = reduce(lambda known, event: known.evolve(event), burned, attempt)
        return [*burned, *attempt.record(self.token, self.level, self.cid, self.signature)]


class SignLevel(WithAttempt):
    """The mint's bytes and signature, before they leave; signed for `cid`, and for nothing else
    that was decided meanwhile."""

    prepared: Prepared
    cid: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        attempt = self.attempt(seen)
        return attempt.sign(self.prepared) if attempt.cid == self.cid else []


class FailLevel(WithAttempt):
    """A try to mint came to nothing; `error_class` is one of `providers.md` §0."""

    error_class: str
    reason: str
    cap: timedelta

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.failed(self.attempt(seen), at)

    def failed(self, attempt: Attempt, at: datetime) -> list[Event]:
        return attempt.fail_mint(self.error_class, self.reason, at=at, cap=self.cap)


class DropLevel(FailLevel):
    """The signed mint can never land, or landed and did nothing: that try failed."""

    signature: str
    proof_height: int = 0
    proof_slot: int = 0

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        attempt = self.attempt(seen)
        dropped = attempt.drop(self.signature, self.reason, self.proof_height, self.proof_slot)
        if not dropped:
            return []
        return [*dropped, *self.failed(attempt.evolve(dropped[0]), at)]


class MetadataIsPinned(WithAttempt):
    cid: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.attempt(seen).pin(self.cid)


class Correct(WithUpgrade):
    """Ledger and chain differ about the token of `mint`; see CorrectionRecorded."""

    upgrade_id: str
    kind: Discrepancy
    mint: str
    field: str
    ledger_value: str
    chain_value: str
    slot: int
    review: bool

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        facts = self.model_dump(exclude={"owner"})
        return self.upgrade(seen).correct(CorrectionRecorded(**facts, pass_id=self.owner))
