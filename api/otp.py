"""Codes by mail: a new one is sent, and one that comes back proves the email it was sent to.

Nothing here looks at passes, so that nobody learns whether an email has one.
"""

from __future__ import annotations

import secrets
from typing import Annotated
from uuid import uuid4

from pydantic import StringConstraints
from starlette.requests import Request

from api.body import Body
from api.deps import context, parts_of
from api.emails import Email
from api.sign_in_problems import MailNotSetUp, MailSilent, OtpInvalid
from commands.command import Outcome, handle, look
from commands.otp import FailCodeMail, RequestCode, TryCode

SUBJECT = "Your sign-in code"
TEXT = """Your code is {code}.

It signs you in to {host}, once and within ten minutes. Nobody of ours will ever ask you for it. If
you did not ask for a code, there is nothing you have to do.
"""


class EmailAsked(Body):
    """An email address in ASCII; its case does not matter."""

    email: Email


class OtpProof(EmailAsked):
    """An email and the six digits that were mailed to it."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


async def send_code(request: Request, email: str) -> Outcome:
    """Mails a new code; what is recorded first says so. Raises OtpTooSoon, Limited, MailSilent."""
    parts = parts_of(request)
    send_mail, emails = parts.proofs.send_mail, parts.proofs.emails
    if send_mail is None:
        raise MailNotSetUp()
    code, ids = new_code(), {"email_hash": emails.hash(email), "challenge_id": str(uuid4())}
    asked = RequestCode(**ids, code_proof=emails.code_proof(email, code))
    asking = context(request)
    asked.decide(await look(parts.ledger, asked), asking.at)  # who asks too soon uses up no mail
    parts.limits.mail(ids["email_hash"], request.client.host if request.client else "")
    outcome = await handle(parts.ledger, asked, asking)
    text = TEXT.format(code=code, host=parts.settings.mega_public_host)
    try:
        await send_mail(email, SUBJECT, text, ids["challenge_id"])
    except MailSilent:
        await handle(parts.ledger, FailCodeMail(**ids), context(request))
        raise
    return outcome


async def prove_email(request: Request, proof: OtpProof) -> str:
    """The email whose code this is. A wrong try is recorded before it is refused; OtpInvalid says
    the same of a code that is wrong, used, too old or worn out, and of an email without one."""
    parts = parts_of(request)
    emails = parts.proofs.emails
    code_proof = emails.code_proof(proof.email, proof.code)
    trying = TryCode(email_hash=emails.hash(proof.email), code_proof=code_proof)
    if not (await handle(parts.ledger, trying, context(request))).answer.body["right"]:
        raise OtpInvalid()
    return proof.email


def new_code() -> str:
    return f"{secrets.randbelow(10**6):06}"
