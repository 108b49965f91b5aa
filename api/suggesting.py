"""`Type for me`: one question to GPT while its caller waits, recorded whatever comes of it.

Free (`contract.md` §7). The step names the context that it used and has what was said with it, so
that the same bytes can be sent again (seed 001 §8.2, §13.3).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import orjson
import structlog
from starlette.requests import Request

from api.deps import context, parts_of
from api.parts import Parts
from api.principal import Principal
from api.problems import Limited
from api.studio import TextFailed
from api.studio_bodies import TEXT_MAX
from api.studio_problems import ContentRefused, SuggestionFailed, SuggestionsExhausted
from commands.command import handle
from commands.config import AdoptConfig
from commands.studio import RecordSuggestion
from domain.contexts import MOTION_SUGGESTION, canonical, declines, request_of
from domain.event import Refused, secret

AT_ONCE_MAX = 2
"""Of one pass, in one process."""
WITHIN_S = 60.0
AGAIN_S = 2
REASON_MAX = 300
SAID: Final = {"role": "animation"}

log = structlog.get_logger()


async def suggestion(request: Request, who: Principal, image: str) -> RecordSuggestion:
    """What records a suggestion for this image. One that did not come is recorded here, and said as
    a refusal."""
    parts = parts_of(request)
    adopted = await handle(parts.ledger, AdoptConfig(key=MOTION_SUGGESTION), context(request))
    used = adopted.answer.body
    body = request_of(used["value"], SAID, [image])
    step = _Step(who.pass_id, used, image, sha256(body).hexdigest(), parts)
    try:
        async with _waiting(parts, who):
            text = _prompt_in(await _asked(parts, body, step.generation_id))
    except TextFailed as failed:
        log.warning("suggestion_failed", error_class=failed.error_class, why=failed.reason)
        error = {"class": failed.error_class, "reason": failed.reason[:REASON_MAX]}
        await handle(parts.ledger, step.ended({}, error), context(request, who))
        raise _said(failed) from failed
    return step.ended({"motion_prompt": secret(text)}, None, text)


@asynccontextmanager
async def _waiting(parts: Parts, who: Principal) -> AsyncIterator[None]:
    counts = parts.studio.suggesting
    if counts[who.pass_id] >= AT_ONCE_MAX:
        raise Limited(AGAIN_S)
    counts[who.pass_id] += 1
    try:
        yield
    finally:
        counts[who.pass_id] -= 1
        if not counts[who.pass_id]:
            del counts[who.pass_id]


async def _asked(parts: Parts, body: bytes, reference: str) -> str:
    try:
        async with asyncio.timeout(WITHIN_S):
            return await parts.studio.ask(body, reference)
    except TimeoutError:
        raise TextFailed("unknown", f"no answer within {WITHIN_S:.0f} s") from None


def _prompt_in(text: str) -> str:
    """What the answer's JSON suggests; a refusal, or anything else, is no suggestion."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    prompt = found.get("motion_prompt") if isinstance(found, dict) else None
    if declines(prompt if isinstance(prompt, str) else text):
        raise TextFailed("refused", "the model said no")
    if not isinstance(prompt, str) or not prompt.strip() or "\0" in prompt:
        raise TextFailed("transient", "the answer has no suggestion in it")
    return prompt.strip()[:TEXT_MAX]


def _said(failed: TextFailed) -> Refused:
    match failed.error_class:
        case "refused":
            return ContentRefused()
        case "quota":
            return SuggestionsExhausted()
    return SuggestionFailed()


class _Step:
    """The step of one question; `used` is the context as its config describes it."""

    def __init__(
        self, owner: str, used: dict[str, Any], image: str, request_sha256: str, parts: Parts
    ) -> None:
        self.generation_id = str(uuid4())
        self._owner, self._used, self._parts = owner, used, parts
        self._started_at = parts.clock.now()
        self._input = {
            "ctx_key": used["key"],
            "ctx_version": used["version"],
            "ctx_id": used["id"],
            "said": secret(canonical(SAID).decode()),
            "images": [image],
            "max_output_tokens": used["value"]["max_output_tokens"],
            "request_sha256": request_sha256,
        }

    def ended(
        self, output: dict[str, Any], error: dict[str, str] | None, prompt: str = ""
    ) -> RecordSuggestion:
        ended_at = max(self._parts.clock.now(), self._started_at)
        timing = {
            "started_at": self._started_at.isoformat(),
            "ended_at": ended_at.isoformat(),
            "duration_ms": (ended_at - self._started_at) // timedelta(milliseconds=1),
        }
        made = {"input": self._input, "output": output, "timing": timing, "error": error}
        return RecordSuggestion(
            owner=self._owner,
            generation_id=self.generation_id,
            payload=made,
            model=self._used["value"]["model"],
            prompt=prompt,
        )
