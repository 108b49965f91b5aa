"""Those outside who prove who somebody is: Farcaster, Google, and whoever reads a mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from api.emails import Emails, SendMail
from api.farcaster import QuickAuth, open_quick_auth
from api.google import Google, open_google
from settings import Settings


@dataclass(frozen=True, slots=True)
class Proofs:
    """None: sign-in with it is not set up."""

    emails: Emails
    farcaster: QuickAuth | None
    google: Google | None
    send_mail: SendMail | None


@asynccontextmanager
async def open_proofs(settings: Settings, send_mail: SendMail | None) -> AsyncIterator[Proofs]:
    async with open_quick_auth(settings) as farcaster, open_google(settings) as google:
        yield Proofs(Emails(settings.master_key), farcaster, google, send_mail)
