"""The Seedream twin, in the form of Ark (BytePlus ModelArk, Volcengine); spec `providers.md` §2a.

Read in a source (the vendor's Python SDK and mirrors of its documentation): the path below
`/api/v3`, the request's fields and the range of `size`, the answer's shape with `usage`, an error
element inside `data` of a 200, the error body's shape and its codes, URLs that die after 24 hours.

From memory, therefore no proof about the vendor: the sentences of its error messages, the `type`
of each error, the token count of `usage`, that an unknown field is ignored, that no idempotency
and no retrieval exist, and the answer to an expired URL.

Ours: the picture (drawn from prompt and seed; no seed is seed 0), "any key is a good key", and no
event stream (`stream: true` is refused). Effect kind: `image_billed`, one for each picture.
"""

from __future__ import annotations

import asyncio
import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from embedded.twins.paint import TYPE_OF, paint
from embedded.twins.wire import Answer, Call

MODELS = ("seedream-4-0-250828", "seedream-4-5-251128", "seedream-5-0-260128")
SIDES = {"1K": (1024, 1024), "2K": (2048, 2048), "4K": (4096, 4096)}
MIN_PIXELS, MAX_PIXELS = 1280 * 720, 4096 * 4096
URL_LIFE_S = 86_400
MAX_REFERENCES, MAX_PICTURES = 14, 15
STAMP = "%Y%m%dT%H%M%SZ"


class Refused(Exception):
    """The vendor's error answer, as a value."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        error = {"code": code, "message": message, "param": param, "type": _type_of(status)}
        self.answer = Answer.json(status, {"error": error})


class Sequence(BaseModel):
    max_images: int = Field(default=MAX_PICTURES, ge=1, le=MAX_PICTURES)


class Request(BaseModel):
    """The fields of an image generation that this twin reads; others are ignored."""

    model_config = ConfigDict(strict=True)

    model: str
    prompt: str = Field(min_length=1)
    image: str | list[str] = []
    size: str = "2K"
    seed: int = Field(default=0, ge=-1, le=2**31 - 1)
    watermark: bool = True
    response_format: Literal["url", "b64_json"] = "url"
    output_format: Literal["png", "jpeg"] = "png"
    sequential_image_generation: Literal["auto", "disabled"] = "disabled"
    sequential_image_generation_options: Sequence = Sequence()
    stream: Literal[False] = False

    @property
    def pictures(self) -> int:
        if self.sequential_image_generation == "disabled":
            return 1
        return self.sequential_image_generation_options.max_images


class Seedream:
    """`POST /api/v3/images/generations`, and the pictures it answers with by URL."""

    name = "seedream"
    base_path = "/api/v3"

    async def answer(self, call: Call) -> Answer:
        if call.method in ("GET", "HEAD") and call.path.startswith("/tos/"):
            return await self._picture(call)
        if (call.method, call.path) != ("POST", "/images/generations"):
            return Refused(404, "NotFound", "The requested path does not exist.").answer
        try:
            return await self._generate(call)
        except Refused as refused:
            return refused.answer

    async def _generate(self, call: Call) -> Answer:
        if not call.bearer():
            raise Refused(401, "AuthenticationError", "The API key in the request is missing.")
        request = _parse(call.body)
        width, height = _dimensions(request.size)
        data = []
        for index in range(request.pictures):
            details = {"model": request.model, "prompt": request.prompt, "index": index}
            details |= {"seed": request.seed + index, "width": width, "height": height}
            details |= {"output_format": request.output_format}
            number = call.record("image_billed", **details)
            element = {"size": f"{width}x{height}"}
            if request.response_format == "url":
                element["url"] = _url(call, number, request.output_format)
            else:
                element["b64_json"] = base64.b64encode(await _paint(details)).decode()
            data.append(element)
        tokens = request.pictures * width * height // 256
        usage = {
            "generated_images": request.pictures,
            "output_tokens": tokens,
            "total_tokens": tokens,
        }
        created = int(call.journal.now().timestamp())
        body = {"model": request.model, "created": created, "data": data, "usage": usage}
        return Answer.json(200, body)

    async def _picture(self, call: Call) -> Answer:
        """The picture behind a URL; drawn again from what the ledger says was asked for."""
        number, _, ending = call.path.removeprefix("/tos/").partition(".")
        billed = call.journal.find(number)
        expires = _expiry(call)
        if expires is None or call.journal.now() >= expires:
            body = (
                b"<Error><Code>AccessDenied</Code><Message>Request has expired.</Message></Error>"
            )
            return Answer(403, body, {"content-type": "application/xml"})
        if billed is None or billed["output_format"] != ending:
            return Answer(
                404, b"<Error><Code>NoSuchKey</Code></Error>", {"content-type": "application/xml"}
            )
        return Answer(200, await _paint(billed), {"content-type": TYPE_OF[ending]})


def _type_of(status: int) -> str:
    types = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}
    return types.get(status, "InternalServerError")


def _parse(body: bytes) -> Request:
    try:
        request = Request.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        param = ".".join(str(part) for part in first["loc"])
        code = "MissingParameter" if first["type"] == "missing" else "InvalidParameter"
        message = f"The parameter `{param}` is wrong: {first['msg']}." if param else "Not JSON."
        raise Refused(400, code, message, param) from None
    if request.model.removeprefix("doubao-") not in MODELS:
        message = f"The model or endpoint {request.model} does not exist."
        raise Refused(404, "InvalidEndpointOrModel.NotFound", message)
    images = [request.image] if isinstance(request.image, str) else request.image
    if len(images) > MAX_REFERENCES or len(images) + request.pictures > MAX_PICTURES:
        raise Refused(400, "InvalidParameter", "There are too many reference images.", "image")
    for image in images:
        if not image.startswith(("http://", "https://", "data:image/")):
            raise Refused(400, "InvalidParameter", "An image is a URL or a data URL.", "image")
    return request


def _dimensions(size: str) -> tuple[int, int]:
    if size in SIDES:
        return SIDES[size]
    found = re.fullmatch(r"(\d{2,5})x(\d{2,5})", size)
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    shape_fits = width <= 16 * height and height <= 16 * width
    if not (shape_fits and MIN_PIXELS <= width * height <= MAX_PIXELS):
        message = "The size is 1K, 2K, 4K, or WxH of 921600 to 16777216 pixels."
        raise Refused(400, "InvalidParameter", message, "size")
    return width, height


async def _paint(details: dict[str, Any]) -> bytes:
    return await asyncio.to_thread(
        paint,
        details["prompt"],
        seed=details["seed"],
        width=details["width"],
        height=details["height"],
        output=details["output_format"],
    )


def _url(call: Call, number: str, ending: str) -> str:
    date = call.journal.now().strftime(STAMP)
    query = f"X-Tos-Algorithm=TOS4-HMAC-SHA256&X-Tos-Date={date}&X-Tos-Expires={URL_LIFE_S}"
    return f"{call.origin}/tos/{number}.{ending}?{query}&X-Tos-Signature=twin"


def _expiry(call: Call) -> datetime | None:
    try:
        made = datetime.strptime(call.query["X-Tos-Date"], STAMP).replace(tzinfo=UTC)
        return made + timedelta(seconds=int(call.query["X-Tos-Expires"]))
    except (KeyError, ValueError):
        return None
