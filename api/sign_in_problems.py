"""How sign-in says no, beyond a proof that is not good: refusals, status and code of each."""

from __future__ import annotations

from domain.event import Refused
from domain.otp import OtpTooSoon


class OtpInvalid(Refused):
    """This code is wrong, used or too old; ask for a new one."""


class GoogleSilent(Refused):
    """The keys of Google cannot be asked right now; nothing was recorded. Ask again."""


class GoogleNotSetUp(Refused):
    """Sign-in with Google is not set up here: the setting MEGA_GOOGLE_CLIENT_ID is missing."""


class MailSilent(Refused):
    """The mail with the code could not be sent; ask again."""


class MailNotSetUp(Refused):
    """Sign-in by email is not set up here: the setting MAIL_URL is missing."""


# class of refusal → status, code, seconds after which asking again makes sense
SIGN_IN_TABLE: dict[type[Exception], tuple[int, str, int | None]] = {
    OtpInvalid: (401, "OTP_INVALID", None),
    OtpTooSoon: (429, "OTP_TOO_SOON", None),
    GoogleSilent: (503, "GOOGLE_UNAVAILABLE", 2),
    GoogleNotSetUp: (503, "GOOGLE_NOT_SET_UP", None),
    MailSilent: (503, "MAIL_UNAVAILABLE", 1),
    MailNotSetUp: (503, "MAIL_NOT_SET_UP", None),
}
