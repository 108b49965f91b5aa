"""OpenAI's image generation; spec `providers.md` §4.

GPT image models always answer base64, never a URL. The vendor's own client retries an exhausted
quota; here the error's code decides, because asking again cannot help.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import httpx

from consumers.gateways.pictures import decode_base64, decode_picture
from consumers.gateways.ports import (
    ErrorClass,
    Failure,
    OutcomeUnknown,
    Picture,
    TryAgain,
    WillNotWork,
)
from consumers.gateways.web import (
    MAX_WAIT_S,
    Key,
    Reply,
    error_of,
    json_object,
    post_once,
    wait_s,
)

BASE = "/v1"
QUOTA = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
    }
)
REFUSED = frozenset(
    {"moderation_blocked", "content_policy_violation", "image_content_policy_violation"}
)
TRANSIENT = frozenset({"server_error", "server_is_overloaded"})
THROTTLED = frozenset({"rate_limit_exceeded", "slow_down"})
WAITS_S: Mapping[ErrorClass, float] = {"transient": 2.0, "throttled": 5.0}


class OpenAIImages:
    """An `ImageProvider`. `url` is the API's base, as `https://api.openai.com/v1`."""

    name = "openai"

    def __init__(
        self,
        *,
        url: str,
        key: str,
        model: str,
        client: httpx.AsyncClient,
        size: Literal["1024x1024", "1536x1024", "1024x1536"] = "1024x1024",
        read_timeout_s: float = 180.0,
    ) -> None:
        self.model = model
        self._url = f"{url.rstrip('/').removesuffix(BASE)}{BASE}/images/generations"
        self._key = Key(self.name, key)
        self._client = client
        self._size = size
        self._read_timeout_s = read_timeout_s

    async def generate(self, prompt: str, *, reference: str) -> Picture:
        body = {"model": self.model, "prompt": prompt, "n": 1, "size": self._size}
        reply = await post_once(
            self._client,
            self._url,
            body,
            headers=self._key.headers(),
            vendor=self.name,
            reference=reference,
            read_timeout_s=self._read_timeout_s,
        )
        element = self._element(reply, reference)
        content = decode_base64(element.get("b64_json"), vendor=self.name)
        return await decode_picture(content, vendor=self.name)

    def _element(self, reply: Reply, reference: str) -> Mapping[str, Any]:
        body = json_object(reply)
        error = error_of(body)
        if reply.status != 200 or error is not None:
            raise self._failure(reply, error, reference)
        data = body.get("data") if body else None
        if not isinstance(data, list):
            raise TryAgain(f"{self.name}: the answer is no JSON of pictures")
        for element in data:
            if isinstance(element, dict):
                return element
        raise TryAgain(f"{self.name}: the answer has no picture in it")

    def _failure(self, reply: Reply, error: Mapping[str, str] | None, reference: str) -> Failure:
        error = error or {}
        code, kind = error.get("code", ""), error.get("type", "")
        # The vendor's sentence about a bad key repeats parts of it.
        message = "" if reply.status == 401 else error.get("message", "")
        reason = self._key.reason(code or kind or str(reply.status), message)
        if reply.status == 504 or (reply.status >= 500 and not reply.body):
            return OutcomeUnknown(reason, reference=reference)
        found = classify(reply.status, code, kind)
        if found in WAITS_S:
            default = _spoken_wait_s(error.get("message", "")) or WAITS_S[found]
            after_s = wait_s(reply.headers, default=default)
            return TryAgain(reason, after_s=after_s, error_class=found)
        return WillNotWork(reason, error_class=found)


def classify(status: int, code: str, kind: str) -> ErrorClass:
    """The class of OpenAI's error. Quota is looked for first: it too comes as 429."""
    words = {code, kind}
    if words & QUOTA:
        return "quota"
    if words & REFUSED:
        return "refused"
    if words & THROTTLED or status == 429:
        return "throttled"
    if words & TRANSIENT or status in (200, 408, 409) or status >= 500:
        return "transient"
    return "invalid"


def _spoken_wait_s(message: str) -> float | None:
    """The seconds in "Please try again in 41.724s" (or "…in 250ms"), when no header says them."""
    found = re.search(r"try again in (\d{1,6}(?:\.\d{1,6})?)(ms|s)\b", message)
    if not found:
        return None
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1)
    return min(seconds, MAX_WAIT_S)
