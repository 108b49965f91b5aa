"""The Replicate twin: predictions of two models; spec `providers.md` §2b.

Read in a source (mirrors of the vendor's documentation): the paths, the prediction and its states,
webhooks in the form of Standard Webhooks with the secret at `/v1/webhooks/default/secret`, that a
webhook without a 2xx is sent again, outputs that are deleted after an hour.

From memory, therefore no proof about the vendor: error bodies (402, 404, 422, 429), `end_image`, a
single URL as the output of a video, `data_removed`, how often a webhook is repeated, the text of
failures.

Ours: the pictures (drawn from the prompt), the video, which is always the same, how long a task
takes (`works.py`), any token is good; `Prefer: wait` is ignored. Effect kinds: `image_billed` and
`video_billed` by the model; `prediction_failed` for one that was told to fail; and
`prediction_canceled`.
"""

from __future__ import annotations

import asyncio
import base64
import math
import os
from datetime import timedelta
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks.webhooks import Webhook

from embedded.twins.kling import motion
from embedded.twins.paint import paint
from embedded.twins.wire import Answer, Call
from embedded.twins.works import BEGINS_AFTER, Delivery, Works, as_body, begun, progress

OUTPUTS_STAY = timedelta(hours=1)
SECRET = "whsec_" + base64.b64encode(b"the replicate twin signs so").decode()
AREAS = {"1K": 1024 * 1024, "2K": 2048 * 2048, "4K": 4096 * 4096}
RATIOS = ("1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9")
KINDS = {"image_billed": "image", "video_billed": "video"}
OVER = "prediction_canceled"


class Refused(Exception):
    """The vendor's error answer, as a value."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.answer = Answer.json(status, {"title": title, "detail": detail, "status": status})


class StillInput(BaseModel):
    model_config = ConfigDict(strict=True)

    prompt: str = Field(min_length=1)
    image_input: list[str] = Field(default=[], max_length=10)
    size: Literal["1K", "2K", "4K"] = "2K"
    aspect_ratio: str = Field(default="1:1", pattern=f"^(match_input_image|{'|'.join(RATIOS)})$")


class VideoInput(BaseModel):
    model_config = ConfigDict(strict=True)

    prompt: str = Field(min_length=1)
    start_image: str = Field(min_length=1)
    end_image: str = ""
    mode: Literal["standard", "pro"] = "standard"
    duration: Literal[5, 10] = 5


INPUTS: dict[str, type[StillInput | VideoInput]] = {
    "bytedance/seedream-4": StillInput,
    "kwaivgi/kling-v2.1": VideoInput,
}


class Request(BaseModel):
    model_config = ConfigDict(strict=True)

    input: dict[str, Any]
    version: str = ""
    webhook: str = ""
    webhook_events_filter: list[Literal["start", "output", "logs", "completed"]] = [
        "start",
        "output",
        "logs",
        "completed",
    ]


class Replicate:
    """Predictions below `/v1`, and their outputs below `/delivery`."""

    name = "replicate"
    base_path = ""

    def __init__(self, webhook_secret: str = "") -> None:
        """The secret that it signs with: REPLICATE_WEBHOOK_SECRET, unless given."""
        self._secret = webhook_secret or os.environ.get("REPLICATE_WEBHOOK_SECRET") or SECRET
        self._works = Works(attempts=3)

    def forget(self) -> None:
        self._works.forget()

    async def control(self, call: Call) -> Answer | None:
        return self._works.control(call)

    async def answer(self, call: Call) -> Answer:
        try:
            return await self._routed(call, call.path.strip("/").split("/"))
        except Refused as refused:
            return refused.answer

    async def _routed(self, call: Call, path: list[str]) -> Answer:
        if call.method == "GET" and path[0] == "delivery" and len(path) == 3:
            return await _output(call, path[1])
        if not call.bearer():
            raise Refused(401, "Unauthenticated", "You did not pass an authentication token")
        match call.method, path:
            case "POST", ["v1", "models", owner, model, "predictions"]:
                return self._create(call, f"{owner}/{model}")
            case "POST", ["v1", "predictions"]:
                return self._create(call, _parse(call).version.partition(":")[0])
            case "GET", ["v1", "predictions", id_]:
                return Answer.json(200, _state(call, _find(call, id_)))
            case "POST", ["v1", "predictions", id_, "cancel"]:
                return _cancel(call, _find(call, id_))
            case "GET", ["v1", "webhooks", "default", "secret"]:
                return Answer.json(200, {"key": self._secret})
        raise Refused(404, "Not found", "The requested resource could not be found.")

    def _create(self, call: Call, model: str) -> Answer:
        request = _parse(call)
        if model not in INPUTS:
            raise Refused(404, "Not found", f"The model {model} could not be found.")
        asked = _input(INPUTS[model], request.input)
        id_ = sha256(f"{len(call.journal.items)} {begun_now(call)}".encode()).hexdigest()[:26]
        plan = self._works.next()
        kind = "video_billed" if isinstance(asked, VideoInput) else "image_billed"
        details = {"prediction": id_, "model": model, "input": request.input, **plan}
        call.record("prediction_failed" if plan["fails"] else kind, **details)
        item = {"at": begun_now(call), **details, "kind": kind}
        if call.performs and request.webhook:
            self._call_back(call, item, request)
        return Answer.json(201, _state(call, item))

    def _call_back(self, call: Call, item: dict[str, Any], request: Request) -> None:
        for event, part in (("start", BEGINS_AFTER), ("completed", 1.0)):
            if event in request.webhook_events_filter:
                after_ms = item["takes_ms"] * part + 5
                self._works.later(after_ms, request.webhook, lambda: self._delivery(call, item))

    def _delivery(self, call: Call, item: dict[str, Any]) -> Delivery:
        """The prediction as it is now; the id of a delivery is the same whenever it is repeated."""
        state = _state(call, _find(call, item["prediction"]))
        id_ = f"msg_{sha256((state['id'] + state['status']).encode()).hexdigest()[:24]}"
        body, now = as_body(state), call.journal.now()
        headers = {
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self._secret).sign(id_, now, body.decode()),
        }
        return body, headers


def begun_now(call: Call) -> str:
    return call.journal.now().isoformat(timespec="milliseconds")


def _parse(call: Call) -> Request:
    try:
        return Request.model_validate_json(call.body)
    except ValidationError as error:
        raise Refused(422, "Invalid body", _first(error)) from None


def _input(model: type[StillInput | VideoInput], given: dict[str, Any]) -> StillInput | VideoInput:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise Refused(422, "Input validation failed", f"- input.{_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _find(call: Call, id_: str) -> dict[str, Any]:
    for item in call.journal.items:
        if item.get("prediction") == id_ and item["kind"] != OVER:
            return item
    raise Refused(404, "Not found", "The requested resource could not be found.")


def _canceled(call: Call, item: dict[str, Any]) -> bool:
    id_ = item["prediction"]
    return any(one["kind"] == OVER and one["prediction"] == id_ for one in call.journal.items)


def _cancel(call: Call, item: dict[str, Any]) -> Answer:
    if progress(item, call.journal) < 1 and not _canceled(call, item):
        call.record(OVER, prediction=item["prediction"])
    return Answer.json(200, _state(call, item))


def _state(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    id_, status = item["prediction"], _status(call, item)
    removed = call.journal.now() > begun(item) + OUTPUTS_STAY
    url = f"{call.origin}/v1/predictions/{id_}"
    state: dict[str, Any] = {
        "id": id_,
        "model": item["model"],
        "version": "hidden",
        "status": status,
        "input": {} if removed else item["input"],
        "output": None,
        "error": item["fails"] if status == "failed" else None,
        "logs": "",
        "data_removed": removed,
        "urls": {"get": url, "cancel": f"{url}/cancel"},
        "created_at": item["at"],
    }
    if status == "succeeded" and not removed:
        is_video = item["kind"] == "video_billed"
        output = f"{call.origin}/delivery/{id_}/out-0.{'mp4' if is_video else 'png'}"
        state["output"] = output if is_video else [output]
        state["metrics"] = {"predict_time": item["takes_ms"] / 1000}
    return state


def _status(call: Call, item: dict[str, Any]) -> str:
    if _canceled(call, item):
        return "canceled"
    done = progress(item, call.journal)
    if done < 1:
        return "processing" if done >= BEGINS_AFTER else "starting"
    return "failed" if item["fails"] else "succeeded"


async def _output(call: Call, id_: str) -> Answer:
    item = _find(call, id_)
    state = _state(call, item)
    if state["output"] is None:
        raise Refused(404, "Not found", "The file is not there, or not any more.")
    if item["kind"] == "video_billed":
        return Answer(200, motion(), {"content-type": "video/mp4"})
    asked = StillInput.model_validate(item["input"])
    width, height = dimensions(asked.size, asked.aspect_ratio)
    picture = await asyncio.to_thread(paint, asked.prompt, seed=0, width=width, height=height)
    return Answer(200, picture, {"content-type": "image/png"})


def dimensions(size: str, aspect_ratio: str) -> tuple[int, int]:
    """Width and height of about the size's area, multiples of 16."""
    ratio = aspect_ratio if aspect_ratio in RATIOS else "1:1"
    wide, high = (int(side) for side in ratio.split(":"))
    unit = math.sqrt(AREAS[size] / (wide * high))
    return round(wide * unit / 16) * 16, round(high * unit / 16) * 16
