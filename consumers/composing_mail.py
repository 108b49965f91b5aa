"""The gateway that sends mail, put together from the settings."""

from __future__ import annotations

import httpx

from consumers.gateways.mail import Mail
from settings import Settings, SettingsError


def mail(settings: Settings, web: httpx.AsyncClient) -> Mail | None:
    """None where no vendor is set; one that is set needs a key and a sender."""
    if settings.mail_url is None:
        return None
    if settings.mail_key is None:
        raise SettingsError("The setting MAIL_KEY is missing.")
    if settings.mail_from is None:
        raise SettingsError("The setting MAIL_FROM is missing.")
    return Mail(settings.mail_url, settings.mail_key.get_secret_value(), settings.mail_from, web)
