"""What the sign-in messages of all wallets share: their words, where they are for, and when.

EIP-4361 wrote them down first; Solana's wallets took them over with their own first line.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from api.problems import Invalid, Unauthenticated

SKEW = timedelta(seconds=60)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

URI = r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-Z\[\]_a-z~]+"
TIME = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)"
AUTHORITY = (
    r"(?:[\w.~!$&'()*+,;=:%-]*@)?"
    r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]+)"
    r"(?::\d{0,5})?"
)
NONCE = r"[A-Za-z0-9]{8,}"
REQUEST_ID = r"[\w.~!$&'()*+,;=:@%-]*"


class MalformedMessage(Invalid):
    """This is not a sign-in message as wallets write it."""


class SignInRefused(Unauthenticated):
    """This proof was not accepted; ask for a new nonce and sign again."""


class Timed(Protocol):
    @property
    def expiration_time(self) -> datetime | None: ...

    @property
    def not_before(self) -> datetime | None: ...


def judge_place(said: str, uri: str | None, *, domain: str, loopback: bool) -> None:
    """Raises SignInRefused unless the domain that a message says is ours, and its URI, where it has
    one, is of the same host; `loopback` also allows this machine's, as in development."""
    if said != domain:
        raise SignInRefused(f"(it is for {said})")
    if uri is None:
        return
    hosts = {urlsplit(f"//{domain}").hostname} | (LOOPBACK if loopback else set())
    place = _split(uri)
    if place.scheme not in ("http", "https") or place.hostname not in hosts:
        raise SignInRefused("(its URI is of another host)")


def judge_time(message: Timed, at: datetime) -> None:
    if message.not_before and message.not_before > at:
        raise SignInRefused("(it is not valid yet)")
    if message.expiration_time and message.expiration_time <= at:
        raise SignInRefused("(it has expired)")


def time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise MalformedMessage(("message", f"{text} is no time")) from None


def optional_time(text: str | None) -> datetime | None:
    return time(text) if text else None


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError:
        raise SignInRefused("(its URI cannot be read)") from None
