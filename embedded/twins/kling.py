"""The Kling twin: image to video; spec `providers.md` §3.

Read in a source (mirrors of the vendor's documentation): the JWT and its claims, the paths, the
fields of the request and their bounds, `code` 0 and the envelope, the states with `succeed`, the
callback's flat body without a signature, `external_task_id` unique an account and good for a
look-up, the codes of errors, results that are cleared after 30 days.

From memory, therefore no proof about the vendor: every error sentence, 1201 for an
`external_task_id` that was used before, when callbacks come, that they are not repeated, which
models exist and which of them want `pro` for two frames, the units of a video.

Ours: the video, which is always the same, and how long a task takes (`works.py`). Without a secret
key of its own the twin believes every signature, and checks the times in a token all the same.
Effect kinds: `video_billed`; `video_failed` for a task that was told to fail, which costs nothing.
"""

from __future__ import annotations

import os
import uuid
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from embedded.twins.wire import Answer, Call
from embedded.twins.works import BEGINS_AFTER, Works, as_body, begun, progress

PATH = "/v1/videos/image2video"
MODELS = ("kling-v1", "kling-v1-5", "kling-v1-6", "kling-v2-1", "kling-v2-5-turbo", "kling-v2-6")
RESULTS_STAY = timedelta(days=30)
URL_LIVES = timedelta(days=30)
TOKEN_OPTIONS: Any = {"verify_exp": False, "verify_nbf": False, "require": ["iss", "exp", "nbf"]}


class Refused(Exception):
    """The vendor's error answer, as a value."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "request_id": uuid.uuid4().hex}


class Request(BaseModel):
    """The fields that this twin reads; others are ignored."""

    model_config = ConfigDict(strict=True)

    model_name: str = "kling-v1"
    image: str = ""
    image_tail: str = ""
    prompt: str = Field(default="", max_length=2_500)
    negative_prompt: str = Field(default="", max_length=2_500)
    mode: Literal["std", "pro"] = "std"
    duration: Literal["5", "10"] = "5"
    callback_url: str = ""
    external_task_id: str = Field(default="", max_length=200)


class Kling:
    """`POST /v1/videos/image2video`, `GET` of one by either id, the list, and the videos."""

    name = "kling"
    base_path = ""

    def __init__(self, access_key: str = "", secret_key: str = "") -> None:
        """The pair of keys that is good: KLING_ACCESS_KEY and KLING_SECRET_KEY, unless given."""
        self._access_key = access_key or os.environ.get("KLING_ACCESS_KEY", "")
        self._secret_key = secret_key or os.environ.get("KLING_SECRET_KEY", "")
        self._works = Works(attempts=1)

    def forget(self) -> None:
        self._works.forget()

    async def control(self, call: Call) -> Answer | None:
        return self._works.control(call)

    async def answer(self, call: Call) -> Answer:
        if call.method in ("GET", "HEAD") and call.path.startswith("/output/"):
            return _video(call)
        try:
            self._authenticate(call)
            return self._routed(call)
        except Refused as refused:
            return _answer(call, refused.status, refused.body)

    def _routed(self, call: Call) -> Answer:
        match call.method, call.path.removeprefix(PATH):
            case "POST", "":
                return self._create(call)
            case "GET", "":
                return _told(call, _page(call))
            case "GET", named if call.path.startswith(f"{PATH}/"):
                return _told(call, _state(call, _find(call, named[1:])))
        raise Refused(404, 1202, "The requested method or path does not exist.")

    def _authenticate(self, call: Call) -> None:
        if not call.bearer():
            raise Refused(401, 1001, "Authorization is empty.")
        options = TOKEN_OPTIONS | {"verify_signature": bool(self._secret_key)}
        try:
            claims = jwt.decode(
                call.bearer(), self._secret_key, algorithms=["HS256"], options=options
            )
        except jwt.InvalidTokenError:
            raise Refused(401, 1000, "Authorization is invalid: signature.") from None
        if self._access_key not in ("", claims.get("iss")):
            raise Refused(401, 1002, "Authorization is invalid: unknown access key.")
        now = call.journal.now().timestamp()
        if float(claims.get("nbf", 0)) > now:
            raise Refused(401, 1003, "Authorization is not valid yet.")
        if float(claims.get("exp", 0)) <= now:
            raise Refused(401, 1004, "Authorization has expired.")

    def _create(self, call: Call) -> Answer:
        request = _parse(call)
        task_id = str(uuid.uuid4())
        plan = self._works.next()
        details: dict[str, Any] = {
            "task_id": task_id,
            "external_task_id": request.external_task_id,
            "model": request.model_name,
            "duration": request.duration,
            **plan,
        }
        call.record("video_failed" if plan["fails"] else "video_billed", **details)
        if call.performs and request.callback_url:
            self._call_back(call, call.journal.items[-1], request.callback_url)
        now_ms = int(call.journal.now().timestamp() * 1000)
        told = {
            "task_id": task_id,
            "task_info": {"external_task_id": request.external_task_id},
            "task_status": "submitted",
            "created_at": now_ms,
            "updated_at": now_ms,
        }
        return _told(call, told)

    def _call_back(self, call: Call, item: dict[str, Any], url: str) -> None:
        for part in (BEGINS_AFTER, 1.0):
            self._works.later(
                item["takes_ms"] * part + 5, url, lambda: (as_body(_state(call, item)), {})
            )


def _parse(call: Call) -> Request:
    try:
        request = Request.model_validate_json(call.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise Refused(400, 1201, f"{where}: {first['msg']}.") from None
    if request.model_name not in MODELS:
        raise Refused(400, 1201, f"model_name: {request.model_name} is not supported.")
    pictures = [one for one in (request.image, request.image_tail) if one]
    if not pictures or any(one.startswith("data:") for one in pictures):
        raise Refused(400, 1201, "image: a URL, or base64 without a prefix, is needed.")
    if len(pictures) == 2 and request.mode != "pro" and request.model_name != "kling-v1":
        raise Refused(400, 1201, "image_tail: two frames need the mode pro.")
    if request.external_task_id and any(_tasks(call, request.external_task_id)):
        raise Refused(400, 1201, "external_task_id: it was used before.")
    return request


def _tasks(call: Call, named: str | None = None) -> list[dict[str, Any]]:
    """All tasks that are kept still, or those with this id of ours or theirs."""
    oldest = call.journal.now() - RESULTS_STAY
    return [
        item
        for item in call.journal.items
        if begun(item) > oldest and named in (None, item["task_id"], item["external_task_id"])
    ]


def _find(call: Call, named: str) -> dict[str, Any]:
    for item in _tasks(call, named):
        return item
    raise Refused(404, 1203, "The requested resource does not exist.")


def _page(call: Call) -> list[dict[str, Any]]:
    try:
        number = max(int(call.query.get("pageNum", "1")), 1)
        size = min(max(int(call.query.get("pageSize", "30")), 1), 500)
    except ValueError:
        raise Refused(400, 1201, "pageNum and pageSize are numbers.") from None
    newest = _tasks(call)[::-1]
    return [_state(call, item) for item in newest[(number - 1) * size : number * size]]


def _state(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    done = progress(item, call.journal)
    over = "failed" if item["fails"] else "succeed"
    status, since = "submitted", 0.0
    if done >= BEGINS_AFTER:
        status, since = (over, 1.0) if done >= 1 else ("processing", BEGINS_AFTER)
    started_ms = int(begun(item).timestamp() * 1000)
    state: dict[str, Any] = {
        "task_id": item["task_id"],
        "task_status": status,
        "task_status_msg": item["fails"] if status == "failed" else "",
        "created_at": started_ms,
        "updated_at": started_ms + int(since * item["takes_ms"]),
        "task_info": {"external_task_id": item["external_task_id"]},
    }
    if status == "succeed":
        expires = int((begun(item) + URL_LIVES).timestamp())
        url = f"{call.origin}/output/{item['task_id']}.mp4?Expires={expires}"
        video = {"id": item["id"], "url": url, "duration": f"{item['duration']}.1"}
        state |= {"task_result": {"videos": [video]}, "final_unit_deduction": "2"}
    return state


def _video(call: Call) -> Answer:
    try:
        item = _find(call, call.path.removeprefix("/output/").removesuffix(".mp4"))
    except Refused:
        return Answer(404, b"", {"content-type": "text/plain"})
    if call.journal.now() >= begun(item) + URL_LIVES or progress(item, call.journal) < 1:
        return Answer(403, b"", {"content-type": "text/plain"})
    return Answer(200, motion(), {"content-type": "video/mp4"})


@cache
def motion() -> bytes:
    """Five seconds of a painted portrait that comes closer; H.264, 480x480."""
    return (Path(__file__).parent / "motion.mp4").read_bytes()


def _told(call: Call, data: object) -> Answer:
    body = {"code": 0, "message": "SUCCEED", "request_id": uuid.uuid4().hex, "data": data}
    return _answer(call, 200, body)


def _answer(call: Call, status: int, body: object) -> Answer:
    """With the twin's own time, by which whoever is too early or too late can tell."""
    date = call.journal.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
    return Answer.json(status, body, date=date)
