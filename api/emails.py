"""Emails: one spelling, and a name in the ledger that nobody can guess the email from.

Only ASCII addresses are taken. Among other letters, case folding makes one text of several (`ß` and
`ss`, `K` and the Kelvin sign), and a code for one mailbox would open the pass of another.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated

import structlog
from pydantic import AfterValidator, StringConstraints

from api.sign_in_problems import MailSilent

CHARS_MAX = 254
HASH_BYTES = 16
_atom = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_label = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_email = re.compile(rf"(?=[^@]{{1,64}}@){_atom}(?:\.{_atom})*@{_label}(?:\.{_label})+")


def folded(email: str) -> str:
    """The email in lower case; ValueError when it is none."""
    if len(email) > CHARS_MAX or not _email.fullmatch(email):
        raise ValueError("must be an email address, in ASCII")
    return email.lower()


Email = Annotated[str, StringConstraints(max_length=CHARS_MAX), AfterValidator(folded)]

SendMail = Callable[[str, str, str, str], Awaitable[None]]
"""(to, subject, text, reference): sends one mail, once for a reference. Raises MailSilent."""

log = structlog.get_logger()


def sending(send: Callable[..., Awaitable[object]], failure: type[Exception]) -> SendMail:
    """What the routes send mails with: `send(to, subject, text, *, reference)` of a gateway, each
    failure of the world said as a refusal."""

    async def once(to: str, subject: str, text: str, reference: str) -> None:
        try:
            await send(to, subject, text, reference=reference)
        except failure as silent:
            log.warning("mail_not_sent", why=str(silent), reference=reference)
            raise MailSilent() from silent

    return once


class Emails:
    """Names and proofs under keys derived from the master key, one for each use."""

    def __init__(self, master_key: bytes) -> None:
        self._names = hmac.digest(master_key, b"mega email", sha256)
        self._codes = hmac.digest(master_key, b"mega email code", sha256)

    def hash(self, email: str) -> str:
        """What stands for a folded email wherever anybody may read."""
        return hmac.digest(self._names, email.encode(), sha256)[:HASH_BYTES].hex()

    def identity(self, email: str) -> str:
        return f"email:{self.hash(email)}"

    def code_proof(self, email: str, code: str) -> str:
        """What the ledger keeps of a code."""
        return hmac.digest(self._codes, f"{email}\n{code}".encode(), sha256).hex()
