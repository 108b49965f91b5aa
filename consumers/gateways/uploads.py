"""What every upload has in common: one attempt, and what a no means. Posting the same bytes again
is never a second file, so that only bytes which were sent and not answered are OutcomeUnknown."""

from __future__ import annotations

from typing import Any

import httpx

from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from consumers.gateways.web import MAX_REASON, Reply, send_once, timeouts, wait_s

READ_S = 60.0
"""How long a vault may be silent: uploads that took 35 s are told of in seed 003."""


async def upload_once(
    client: httpx.AsyncClient,
    url: str,
    *,
    vendor: str,
    reference: str,
    read_timeout_s: float,
    **request: Any,
) -> Reply:
    """POST a file once; `request` as httpx builds it (`content`, `files`, `headers`, `params`)."""
    built = client.build_request("POST", url, timeout=timeouts(read_timeout_s), **request)
    return await send_once(client, built, vendor=vendor, reference=reference, lookup=True)


def not_stored(vendor: str, reply: Reply) -> Failure:
    """Of an answer that is no yes."""
    words = " ".join(reply.body[:1000].decode(errors="replace").split())
    reason = f"{vendor}: HTTP {reply.status}{': ' if words else ''}{words}"[:MAX_REASON]
    if reply.status in (402, 507):
        return WillNotWork(reason, error_class="quota")
    if reply.status == 429:
        after_s = wait_s(reply.headers, default=5.0)
        return TryAgain(reason, after_s=after_s, error_class="throttled")
    if reply.status == 408 or reply.status >= 500:
        return TryAgain(reason, after_s=wait_s(reply.headers, default=2.0))
    return WillNotWork(reason)
