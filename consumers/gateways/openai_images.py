"""OpenAI's image generation; spec `providers.md` §4.

GPT image models always answer base64, never a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import httpx

from consumers.gateways.openai_errors import BASE, failure_of
from consumers.gateways.pictures import decode_base64, decode_picture
from consumers.gateways.ports import Picture, TryAgain
from consumers.gateways.web import Key, Reply, error_of, json_object, post_once


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
            raise failure_of(self._key, reply, error, reference)
        data = body.get("data") if body else None
        if not isinstance(data, list):
            raise TryAgain(f"{self.name}: the answer is no JSON of pictures")
        for element in data:
            if isinstance(element, dict):
                return element
        raise TryAgain(f"{self.name}: the answer has no picture in it")
