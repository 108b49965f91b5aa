"""The OpenAI twin: image generation, and texts (`openai_responses.py`); spec `providers.md` §4.

Read in a source (types of the vendor's Python SDK): the path below `/v1`, the models, sizes and
bounds of the request, that GPT image models always answer `b64_json`, the error body's shape, the
header `x-request-id`, and the `invalid_api_key` and `model_not_found` codes.

From memory, therefore no proof about the vendor: the sentences of its error messages, the code
`invalid_value`, that `response_format` is refused as an unknown parameter, the numbers in `usage`.

Ours: the picture (drawn from the prompt alone, since the API has no seed: the n-th picture of a
call has seed n) and "any key is a good key". Effect kind: `image_billed`, one for each picture.
Of the vendor's API `/v1/images/generations` and `/v1/responses` are here; other paths answer 404 as
unknown URLs.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from embedded.twins.openai_responses import Malformed, respond
from embedded.twins.paint import paint
from embedded.twins.wire import Answer, Call

MODELS = (
    "gpt-image-1",
    "gpt-image-1-mini",
    "gpt-image-1.5",
    "gpt-image-2",
    "chatgpt-image-latest",
)


RESPONSES = "/responses"
PATHS = ("/images/generations", RESPONSES)


class Refused(Exception):
    """The vendor's error answer, as a value."""

    def __init__(self, status: int, code: str | None, message: str, param: str | None) -> None:
        super().__init__(message)
        kind = "invalid_request_error"
        error = {"message": message, "type": kind, "param": param, "code": code}
        self.answer = _answer(status, {"error": error})


class Request(BaseModel):
    """An image generation. Unknown fields are refused, as the vendor does."""

    model_config = ConfigDict(strict=True, extra="forbid")

    model: str = "gpt-image-1"
    prompt: str = Field(min_length=1, max_length=32_000)
    n: int = Field(default=1, ge=1, le=10)
    size: Literal["1024x1024", "1536x1024", "1024x1536", "auto"] = "auto"
    quality: Literal["low", "medium", "high", "auto"] = "auto"
    background: Literal["transparent", "opaque", "auto"] = "auto"
    moderation: Literal["low", "auto"] = "auto"
    output_format: Literal["png", "jpeg", "webp"] = "png"
    output_compression: int = Field(default=100, ge=0, le=100)
    user: str | None = None


class OpenAI:
    """`POST /v1/images/generations`, `POST /v1/responses`."""

    name = "openai"
    base_path = "/v1"

    async def answer(self, call: Call) -> Answer:
        try:
            if call.method != "POST" or call.path not in PATHS:
                message = f"Unknown request URL: {call.method} {call.full_path}."
                raise Refused(404, "unknown_url", message, None)
            if not call.bearer():
                message = "You didn't provide an API key."
                raise Refused(401, "invalid_api_key", message, None)
            if call.path == RESPONSES:
                return _respond(call)
            return await self._generate(call, _parse(call.body))
        except Refused as refused:
            return refused.answer

    async def _generate(self, call: Call, request: Request) -> Answer:
        size = "1024x1024" if request.size == "auto" else request.size
        width, height = (int(side) for side in size.split("x"))
        data = []
        for index in range(request.n):
            call.record("image_billed", model=request.model, prompt=request.prompt, index=index)
            picture = await asyncio.to_thread(
                paint,
                request.prompt,
                seed=index,
                width=width,
                height=height,
                output=request.output_format,
            )
            data.append({"b64_json": base64.b64encode(picture).decode()})
        return _answer(200, _body(call, request, size, data))


def _respond(call: Call) -> Answer:
    try:
        return _answer(200, respond(call))
    except Malformed as malformed:
        param = str(malformed)
        raise Refused(400, "invalid_value", f"Invalid '{param}'.", param) from None


def _body(call: Call, request: Request, size: str, data: list[dict[str, str]]) -> dict[str, object]:
    asked, made = len(request.prompt) // 4 + 1, 1056 * request.n
    details = {"text_tokens": asked, "image_tokens": 0}
    usage = {"input_tokens": asked, "output_tokens": made, "total_tokens": asked + made}
    return {
        "created": int(call.journal.now().timestamp()),
        "background": "opaque",
        "data": data,
        "output_format": request.output_format,
        "quality": "medium" if request.quality == "auto" else request.quality,
        "size": size,
        "usage": {**usage, "input_tokens_details": details},
    }


def _answer(status: int, body: object) -> Answer:
    return Answer.json(status, body, x_request_id=f"req_{uuid.uuid4().hex}")


def _parse(body: bytes) -> Request:
    try:
        request = Request.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        kinds = {"missing": "missing_required_parameter", "extra_forbidden": "unknown_parameter"}
        code = kinds.get(first["type"], "invalid_value")
        raise Refused(400, code, f"Invalid '{param}': {first['msg']}.", param) from None
    if request.model not in MODELS:
        message = f"The model '{request.model}' does not exist or you do not have access to it."
        raise Refused(404, "model_not_found", message, "model")
    return request
