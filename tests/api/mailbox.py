"""Where the mails of a test arrive, and people who read them."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from api.sign_in_problems import MailSilent
from tests.api.living import Caller, Living

_code = re.compile(r"\b\d{6}\b")


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    text: str
    reference: str


@dataclass
class Mailbox:
    """`away`: so many mails from now on are not sent."""

    letters: list[Letter] = field(default_factory=list)
    away: int = 0

    async def send(self, to: str, subject: str, text: str, reference: str) -> None:
        if self.away:
            self.away -= 1
            raise MailSilent()
        self.letters.append(Letter(to, subject, text, reference))

    def code(self, email: str) -> str:
        """The code of the newest letter to this email."""
        newest = [letter for letter in self.letters if letter.to == email][-1]
        (code,) = _code.findall(newest.text)
        return str(code)


def new_email() -> str:
    return f"ada-{secrets.token_hex(6)}@mail.example"


async def ask_code(here: Living, email: str) -> httpx.Response:
    return await here.nobody().post("/auth/otp/request", {"email": email})


async def give_code(
    here: Living, email: str, code: str, who: Caller | None = None
) -> httpx.Response:
    return await (who or here.nobody()).post("/auth/otp/verify", {"email": email, "code": code})


async def proof_of(here: Living, mailbox: Mailbox, email: str) -> dict[str, str]:
    """The email with a fresh code, as sign-in and link take it."""
    asked = await ask_code(here, email)
    assert asked.status_code == 200, asked.text
    return {"email": email, "code": mailbox.code(email)}


async def sign_in_by_mail(
    here: Living, mailbox: Mailbox, email: str, who: Caller | None = None
) -> dict[str, Any]:
    proof = await proof_of(here, mailbox, email)
    answer = await give_code(here, email, proof["code"], who)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def wrong(code: str, by: int = 1) -> str:
    """Another code than this."""
    return f"{(int(code) + by) % 10**6:06}"
