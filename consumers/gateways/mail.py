"""Mail by Resend's HTTP API.

A mail carries our reference as its idempotency key, which counts for 24 hours: within them it may
be asked for again however the call broke, and goes out once.
"""

from __future__ import annotations

import re

import httpx

from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.web import Key, Reply, json_object, post_once, wait_s

READ_S = 20.0
QUOTA = frozenset({"daily_quota_exceeded", "monthly_quota_exceeded"})
STILL_SENDING = "concurrent_idempotent_requests"
_NAME = re.compile(r"[a-z_]{1,60}")


class Mail:
    """Sends as `sender`, which is `Name <address>`. `url` is the API's scheme and host."""

    name = "mail"

    def __init__(self, url: str, key: str, sender: str, client: httpx.AsyncClient) -> None:
        self._url = f"{url.rstrip('/')}/emails"
        self._key = Key(self.name, key)
        self._sender = sender
        self._client = client

    async def send(self, to: str, subject: str, text: str, *, reference: str) -> str:
        """The vendor's id of the mail. `reference` names this mail and no other, in 1 to 256
        characters of ASCII. The vendor's own sentences are left out of failures: they quote."""
        body = {"from": self._sender, "to": to, "subject": subject, "text": text}
        try:
            reply = await post_once(
                self._client,
                self._url,
                body,
                headers={**self._key.headers(), "Idempotency-Key": reference},
                vendor=self.name,
                reference=reference,
                read_timeout_s=READ_S,
            )
        except OutcomeUnknown as unknown:  # the key makes it safe to say it again
            raise TryAgain(unknown.reason) from unknown
        answer = json_object(reply) or {}
        if not 200 <= reply.status < 300:
            said = answer.get("name")
            raise _failure(reply, said if isinstance(said, str) and _NAME.fullmatch(said) else "")
        if not isinstance(answer.get("id"), str):
            raise TryAgain(f"{self.name}: the answer has no id")
        return str(answer["id"])


def _failure(reply: Reply, said: str) -> Failure:
    reason = f"{Mail.name}: HTTP {reply.status}{' ' if said else ''}{said}"
    if said in QUOTA:
        return WillNotWork(reason, error_class="quota")
    if reply.status == 429:
        after_s = wait_s(reply.headers, default=1.0)
        return TryAgain(reason, after_s=after_s, error_class="throttled")
    if reply.status >= 500 or reply.status == 408 or said == STILL_SENDING:
        return TryAgain(reason, after_s=wait_s(reply.headers, default=2.0))
    return WillNotWork(reason, error_class="refused" if reply.status == 451 else "invalid")
