"""Otp: the code that was mailed to an email, to prove that its owner reads it.

Asked for → mailed → used, or worn out by `TRIES` wrong tries, or too old. One code counts at a
time, once, for `LASTS`; the next may be asked for `RESEND` later, or at once when the mail failed
or the code was used. Whoever wears out more than `WORN_MAX` codes in a row waits longer for each
next one, up to `RESEND_MAX`, so that no process that starts again and no number of them gives a
guesser more tries. The ledger has no email and no code, only what a key makes of them.
`contract.md` §2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from math import ceil

from domain.event import Event, Refused, event

TRIES = 5
LASTS = timedelta(minutes=10)
RESEND = timedelta(seconds=60)
WORN_MAX = 3
RESEND_MAX = timedelta(hours=1)


def otp_stream(email_hash: str) -> str:
    return f"otp:{email_hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpEvent(Event):
    email_hash: str

    @property
    def stream(self) -> str:
        return otp_stream(self.email_hash)


@event("otp_requested.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class OtpRequested(OtpEvent):
    """A code is about to be mailed; `code_proof` is its HMAC. Older codes count no longer."""

    challenge_id: str
    code_proof: str
    tries: int
    expires_at: datetime
    resend_at: datetime


@event("otp_mail_failed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class OtpMailFailed(OtpEvent):
    """The mail did not go out, as far as we know: another code may be asked for at once, but by
    those who guess."""

    challenge_id: str


@event("otp_tried.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class OtpTried(OtpEvent):
    """A wrong code was given; so many tries are left."""

    challenge_id: str
    tries_left: int


@event("otp_used.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class OtpUsed(OtpEvent):
    """The right code was given in time. It is good for nothing more."""

    challenge_id: str


class OtpTooSoon(Refused):
    """A code was mailed a moment ago; ask for another one later."""

    def __init__(self, after_s: int) -> None:
        super().__init__()
        self.after_s = after_s


@dataclass(frozen=True, slots=True)
class Otp:
    """`tries_left` 0: there is no code that counts, or it is worn out or used. `missed` are the
    wrong tries since a right one."""

    challenge_id: str = ""
    code_proof: str = field(default="", repr=False)
    tries_left: int = 0
    expires_at: datetime | None = None
    resend_at: datetime | None = None
    used: bool = False
    missed: int = 0

    # Questions.

    def counts(self, at: datetime) -> bool:
        return self.tries_left > 0 and self.expires_at is not None and at < self.expires_at

    @property
    def pause(self) -> timedelta:
        """Until one more code may be asked for."""
        over = min(max(self.missed // TRIES - WORN_MAX, 0), 10)
        return min(RESEND * (1 << over), RESEND_MAX)

    # Decisions: what the business does when asked. Asked again, it does nothing more.

    def request(
        self, email_hash: str, challenge_id: str, code_proof: str, at: datetime
    ) -> list[Event]:
        if challenge_id == self.challenge_id:
            return []
        if self.resend_at and at < self.resend_at:
            raise OtpTooSoon(ceil((self.resend_at - at).total_seconds()))
        requested = OtpRequested(
            email_hash=email_hash,
            challenge_id=challenge_id,
            code_proof=code_proof,
            tries=TRIES,
            expires_at=at + LASTS,
            resend_at=at + self.pause,
        )
        return [requested]

    def fail_mail(self, email_hash: str, challenge_id: str) -> list[Event]:
        if challenge_id != self.challenge_id or self.resend_at is None:
            return []
        return [OtpMailFailed(email_hash=email_hash, challenge_id=challenge_id)]

    def try_code(self, email_hash: str, code_proof: str, at: datetime) -> list[Event]:
        """A wrong try is a fact and no refusal, so that it stands. `[]`: nothing counts."""
        if not self.counts(at):
            return []
        ids = {"email_hash": email_hash, "challenge_id": self.challenge_id}
        if compare_digest(code_proof, self.code_proof):
            return [OtpUsed(**ids)]
        return [OtpTried(**ids, tries_left=self.tries_left - 1)]

    # History: how each fact changes what is known. It never refuses.

    def evolve(self, event: Event) -> Otp:
        match event:
            case OtpRequested(challenge_id=challenge_id, code_proof=proof, tries=tries):
                times = event.expires_at, event.resend_at
                return Otp(challenge_id, proof, tries, *times, missed=self.missed)
            case OtpMailFailed():
                return self if self.pause > RESEND else replace(self, resend_at=None)
            case OtpTried(tries_left=tries_left):
                return replace(self, tries_left=tries_left, missed=self.missed + 1)
            case OtpUsed():
                return replace(self, tries_left=0, resend_at=None, used=True, missed=0)
        return self
