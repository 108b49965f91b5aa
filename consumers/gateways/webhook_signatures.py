"""Standard Webhooks: who signed a delivery, and when; spec `providers.md` §10.

The package signs. Its own verification reads the machine's clock, and crashes on some malformed
headers, so that reading them is ours.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

TOLERANCE = timedelta(minutes=5)
_unix_s = re.compile(r"[0-9]{1,11}")


def signed_delivery(
    secrets: Iterable[str], headers: Mapping[str, str], body: bytes, at: datetime
) -> str | None:
    """The delivery's id (the same at every retry) when one of the secrets (`whsec_…`) has signed
    these raw bytes within five minutes of `at`; else None. Names of headers in any case."""
    given = {name.lower(): value for name, value in headers.items()}
    id_, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    text = _utf_8(body)
    if not id_ or not _unix_s.fullmatch(stamp) or text is None:
        return None
    signed_at = datetime.fromtimestamp(int(stamp), UTC)
    if abs(at - signed_at) > TOLERANCE:
        return None
    said = [one.encode() for one in given.get("webhook-signature", "").split(" ")]
    good = [Webhook(secret).sign(id_, signed_at, text).encode() for secret in secrets]
    found = any(hmac.compare_digest(one, other) for one in good for other in said)
    return id_ if found else None


def _utf_8(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
