"""GPT's texts by OpenAI's Responses API; spec `providers.md` §4.

A 200 can hold a refusal, an answer that was cut, or a failure. A refusal must never be taken for
text: it would go on as somebody's prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import orjson

from consumers.gateways.mma_ports import NotWhole
from consumers.gateways.openai_errors import BASE, failure_of
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.web import Key, Reply, error_of, json_object, send_once, timeouts

ANSWERS_WITHIN_S = 120.0
CUT = "max_output_tokens"
FILTERED = "content_filter"


class OpenAITexts:
    """`Texts`. `url` is the API's base, as `https://api.openai.com/v1`."""

    name = "openai"

    def __init__(
        self,
        *,
        url: str,
        key: str,
        client: httpx.AsyncClient,
        read_timeout_s: float = ANSWERS_WITHIN_S,
    ) -> None:
        self._url = f"{url.rstrip('/').removesuffix(BASE)}{BASE}/responses"
        self._key = Key(self.name, key)
        self._client = client
        self._read_timeout_s = read_timeout_s

    async def ask(self, body: bytes, *, reference: str) -> str:
        request = self._client.build_request(
            "POST",
            self._url,
            content=body,
            headers={**self._key.headers(), "Content-Type": "application/json"},
            timeout=timeouts(self._read_timeout_s),
        )
        reply = await send_once(self._client, request, vendor=self.name, reference=reference)
        text = self._text(reply, reference)
        if wants_json(body) and not is_json(text):
            raise NotWhole(f"{self.name}: the JSON in the answer is cut")
        return text

    def _text(self, reply: Reply, reference: str) -> str:
        answer = json_object(reply)
        error = error_of(answer)
        if reply.status != 200 or error is not None:
            raise failure_of(self._key, reply, error, reference)
        parts = list(_parts(answer or {}))
        if any(part.get("type") == "refusal" for part in parts):
            raise WillNotWork(f"{self.name}: the model refused", error_class="refused")
        self._expect_whole(answer or {})
        written = [part.get("text") for part in parts if part.get("type") == "output_text"]
        text = "".join(one for one in written if isinstance(one, str))
        if not text:
            raise TryAgain(f"{self.name}: the answer has no text in it")
        return text

    def _expect_whole(self, answer: dict[str, Any]) -> None:
        status, details = answer.get("status"), answer.get("incomplete_details")
        why = details.get("reason") if isinstance(details, dict) else None
        if why == FILTERED:
            raise WillNotWork(f"{self.name}: {FILTERED}", error_class="refused")
        if status == "incomplete":
            reason = CUT if why == CUT else "for a reason of its own"
            raise NotWhole(f"{self.name}: the answer is incomplete, {reason}")
        if status != "completed":
            raise TryAgain(f"{self.name}: the answer is not complete")


def wants_json(body: bytes) -> bool:
    """Whether the request's `text.format` asks for JSON."""
    asked = orjson.loads(body)
    text = asked.get("text") if isinstance(asked, dict) else None
    form = text.get("format") if isinstance(text, dict) else None
    return isinstance(form, dict) and form.get("type") in ("json_schema", "json_object")


def is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def _parts(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    output = answer.get("output")
    for item in output if isinstance(output, list) else []:
        content = item.get("content") if isinstance(item, dict) else None
        for part in content if isinstance(content, list) else []:
            if isinstance(part, dict):
                yield part
