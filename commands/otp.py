"""What can be asked of the codes that prove an email: a new one, and whether this one is right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import Field

from commands.command import Answer, Command, Seen
from domain.event import Event
from domain.otp import Otp, otp_stream


class OtpCommand(Command):
    email_hash: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield otp_stream(self.email_hash)

    def known(self, seen: Seen) -> Otp:
        return seen.get(Otp, otp_stream(self.email_hash))


class RequestCode(OtpCommand):
    """Before the mail goes out. `code_proof` is the HMAC of the code. Raises OtpTooSoon."""

    challenge_id: str
    code_proof: str = Field(repr=False)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.known(seen).request(self.email_hash, self.challenge_id, self.code_proof, at)


class FailCodeMail(OtpCommand):
    """The mail with this code did not go out."""

    challenge_id: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.known(seen).fail_mail(self.email_hash, self.challenge_id)


class TryCode(OtpCommand):
    """Answers `{right}` and never refuses: a wrong try must be recorded to count."""

    code_proof: str = Field(repr=False)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.known(seen).try_code(self.email_hash, self.code_proof, at)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"right": new and self.known(seen).used})
