"""Seedream in its Ark form (BytePlus ModelArk, Volcengine); spec `providers.md` §2a.

One synchronous call makes one picture. It carries no idempotency key and nothing can be looked up
afterwards, so a lost answer is a lost picture, at our cost.
"""

from __future__ import annotations

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
from consumers.gateways.web import Key, Reply, error_of, get_once, json_object, post_once, wait_s
from domain.provider_registry import ARK_CODES

# Sensitive content and risk are recognised by their ending.
REFUSED_ENDINGS = ("SensitiveContentDetected", "RiskDetection")
WAITS_S: Mapping[ErrorClass, float] = {"transient": 2.0, "throttled": 5.0}


BASE = "/api/v3"


class Seedream:
    """An `ImageProvider`. `url` is the API's base, as `https://ark.ap-southeast.bytepluses.com/api/v3`.

    `size` is "1K", "2K", "4K" or "WxH" as the model takes it. `output_hosts` are the hosts, besides
    the API's own, from which a picture answered by URL may be fetched (exact names).
    """

    name = "seedream"

    def __init__(
        self,
        *,
        url: str,
        key: str,
        model: str,
        client: httpx.AsyncClient,
        size: str = "1K",
        response_format: Literal["b64_json", "url"] = "b64_json",
        read_timeout_s: float = 180.0,
        output_hosts: frozenset[str] = frozenset(),
    ) -> None:
        self.model = model
        self._url = f"{url.rstrip('/').removesuffix(BASE)}{BASE}/images/generations"
        self._key = Key(self.name, key)
        self._client = client
        self._size = size
        self._response_format = response_format
        self._read_timeout_s = read_timeout_s
        self._hosts = output_hosts | {httpx.URL(url).host}

    async def generate(self, prompt: str, *, reference: str) -> Picture:
        body = {
            "model": self.model,
            "prompt": prompt,
            "size": self._size,
            "response_format": self._response_format,
            # The vendor's default is true.
            "watermark": False,
        }
        reply = await post_once(
            self._client,
            self._url,
            body,
            headers={**self._key.headers(), "X-Client-Request-Id": reference},
            vendor=self.name,
            reference=reference,
            read_timeout_s=self._read_timeout_s,
        )
        return await decode_picture(
            await self._content(self._element(reply, reference)), vendor=self.name
        )

    def _element(self, reply: Reply, reference: str) -> Mapping[str, Any]:
        """The first picture of the answer, or the failure it describes."""
        body = json_object(reply)
        error = error_of(body)
        if reply.status != 200 or error is not None:
            raise self._failure(reply, error, reference)
        data = body.get("data") if body else None
        if not isinstance(data, list):
            raise TryAgain(f"{self.name}: the answer is no JSON of pictures")
        elements = [element for element in data if isinstance(element, dict)]
        for element in elements:
            if element.get("b64_json") or element.get("url"):
                return element
        for element in elements:
            if found := error_of(element):
                raise self._failure(reply, found, reference)
        raise TryAgain(f"{self.name}: the answer has no picture in it")

    async def _content(self, element: Mapping[str, Any]) -> bytes:
        if element.get("b64_json"):
            return decode_base64(element["b64_json"], vendor=self.name)
        url = str(element["url"])
        if not self._allowed(url):
            raise WillNotWork(f"{self.name}: the picture lies on a host that is not allowed")
        reply = await get_once(
            self._client, url, vendor=self.name, read_timeout_s=self._read_timeout_s
        )
        if reply.status != 200:
            raise TryAgain(f"{self.name}: the picture's address answers {reply.status}")
        return reply.body

    def _allowed(self, url: str) -> bool:
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL:
            return False
        possible = address.port is None or address.port in range(1, 65_536)
        return possible and address.scheme in ("http", "https") and address.host in self._hosts

    def _failure(self, reply: Reply, error: Mapping[str, str] | None, reference: str) -> Failure:
        code = (error or {}).get("code", "")
        reason = self._key.reason(code or str(reply.status), (error or {}).get("message", ""))
        if reply.status == 504 or (reply.status >= 500 and not reply.body):
            return OutcomeUnknown(reason, reference=reference)
        kind = classify(reply.status, code)
        if kind in WAITS_S:
            after_s = wait_s(reply.headers, default=WAITS_S[kind])
            return TryAgain(reason, after_s=after_s, error_class=kind)
        return WillNotWork(reason, error_class=kind)


def classify(status: int, code: str) -> ErrorClass:
    """The class of Ark's error, by its code first and by the status of the answer else."""
    prefix = code.partition(".")[0]
    if prefix.endswith(REFUSED_ENDINGS):
        return "refused"
    if prefix in ARK_CODES:
        return ARK_CODES[prefix]
    if status == 429:
        return "throttled"
    if status in (200, 408, 409) or status >= 500:
        return "transient"
    return "invalid"
