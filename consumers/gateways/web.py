"""One HTTP call to a vendor, and which of the three failures its end means.

Nothing is retried here: the worker that called knows the promise's deadline (spec `style.md`,
"Gateway"). Redirects are answers, not instructions.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from consumers.gateways.ports import OutcomeUnknown, TryAgain, WillNotWork

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_WAIT_S = 120.0
MAX_REASON = 200
MAX_SILENCES = 10
"""How many times the silence that is allowed an answer may take from its first byte to its last."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A vendor's whole answer."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """A vendor's API key, checked early because httpx names a malformed header in its error."""

    vendor: str
    secret: str = field(repr=False)
    header: str = "Authorization"
    scheme: str = "Bearer "

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", self.secret):
            raise ValueError(
                f"The {self.vendor} key is empty or has characters no header can carry."
            )

    def headers(self) -> dict[str, str]:
        return {self.header: self.scheme + self.secret}

    def reason(self, code: str, message: str) -> str:
        """`vendor: code: message`, bounded, without the key even if the vendor repeats it."""
        text = " ".join(message.replace(self.secret, "***").split())
        return f"{self.vendor}: {code}: {text}"[:MAX_REASON]


def timeouts(read_s: float) -> httpx.Timeout:
    """Ten seconds to connect, thirty to hand over the request, `read_s` of silence at most."""
    return httpx.Timeout(connect=10.0, write=30.0, read=read_s, pool=10.0)


async def post_once(
    client: httpx.AsyncClient,
    url: str,
    body: Mapping[str, object],
    *,
    headers: Mapping[str, str],
    vendor: str,
    reference: str,
    read_timeout_s: float,
    lookup: bool = False,
) -> Reply:
    """POST `body` as JSON to a call that costs money.

    Not connected: `TryAgain`. Silence or a broken connection after that, before an answer began:
    `OutcomeUnknown(reference)`. An answer that began and broke: `TryAgain`, since there is nothing
    to look up and the vendor was heard (`providers.md` §2, row 6). With `lookup` there is somebody
    to ask what became of it, and whatever breaks after sending is `OutcomeUnknown`.
    """
    request = client.build_request(
        "POST", url, json=body, headers=dict(headers), timeout=timeouts(read_timeout_s)
    )
    return await send_once(client, request, vendor=vendor, reference=reference, lookup=lookup)


async def send_once(
    client: httpx.AsyncClient,
    request: httpx.Request,
    *,
    vendor: str,
    reference: str,
    lookup: bool = False,
) -> Reply:
    """The same with a request that is built already, its time-outs in it."""
    try:
        response = await client.send(request, stream=True, follow_redirects=False)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise TryAgain(f"{vendor}: not reached ({type(error).__name__})") from error
    except httpx.TransportError as error:
        reason = f"{vendor}: no answer after sending ({type(error).__name__})"
        raise OutcomeUnknown(reason, reference=reference) from error
    try:
        return await _whole(response, vendor)
    except httpx.ReadTimeout as error:
        raise OutcomeUnknown(f"{vendor}: the answer stopped", reference=reference) from error
    except (TryAgain, WillNotWork) as failure:
        if not lookup:
            raise
        raise OutcomeUnknown(failure.reason, reference=reference) from failure


async def get_once(
    client: httpx.AsyncClient,
    url: str,
    *,
    vendor: str,
    read_timeout_s: float,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """GET. Reading changes nothing, so that every broken call is `TryAgain`."""
    request = client.build_request("GET", url, headers=headers, timeout=timeouts(read_timeout_s))
    try:
        response = await client.send(request, stream=True, follow_redirects=False)
        return await _whole(response, vendor)
    except httpx.TransportError as error:
        raise TryAgain(f"{vendor}: not read ({type(error).__name__})") from error


async def _whole(response: httpx.Response, vendor: str) -> Reply:
    """An answer that drips is never silent for long, and would hold its worker for days."""
    body = bytearray()
    silence_s = response.request.extensions["timeout"]["read"]
    try:
        async with asyncio.timeout(silence_s * MAX_SILENCES):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise WillNotWork(f"{vendor}: the answer is over {MAX_ANSWER_BYTES} bytes")
    except TimeoutError as error:
        raise TryAgain(f"{vendor}: the answer never ends") from error
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError) as error:
        raise TryAgain(f"{vendor}: the answer broke off ({type(error).__name__})") from error
    finally:
        await response.aclose()
    return Reply(response.status_code, response.headers, bytes(body))


def json_object(reply: Reply) -> dict[str, Any] | None:
    """The body as a JSON object; None when it is anything else, cut or empty.

    orjson bounds the nesting by itself. The standard parser relies on Python's recursion limit,
    which a dependency of eth-account raises so far that a deep body ends the process.
    """
    try:
        value = orjson.loads(reply.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def error_of(body: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The `error` object of a body, its fields as text; None when there is none."""
    error = body.get("error") if body else None
    if not error:
        return None
    if not isinstance(error, dict):
        return {"message": str(error)}
    return {name: str(value) for name, value in error.items() if value is not None}


def wait_s(headers: Mapping[str, str], *, default: float) -> float:
    """Seconds to wait by `retry-after-ms` or `Retry-After` (seconds or a date), 120 at most."""
    asked = _number(headers.get("retry-after-ms"), 1000)
    if asked is None:
        asked = _number(headers.get("retry-after"), 1)
    if asked is None:
        asked = _until(headers.get("retry-after"), headers.get("date"))
    if asked is None:
        return default
    return min(max(asked, 0.0), MAX_WAIT_S)


def _number(text: str | None, divisor: int) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value / divisor if math.isfinite(value) else None


def _until(text: str | None, server_date: str | None) -> float | None:
    """From the server's own `Date`, so that our clock's error does not count."""
    then = _date(text)
    now = _date(server_date) or datetime.now(UTC)
    return (then - now).total_seconds() if then else None


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
