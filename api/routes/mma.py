"""The studio's makers: stills, tweaks, videos, and what people do with them (`contract.md` §7)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path, Request, Response

from api.asking import FRESH, THEN, as_of, fresh
from api.body import NoBody, read_body
from api.creating import animation, begin, config_of, must_be_ours, new_ids
from api.deps import (
    answered,
    parts_of,
    recorded,
    recorded_before,
    signed_in,
    signed_in_to_socket,
    spoken,
    underway,
    write,
)
from api.history import generation_then
from api.live.speaking import ThreadStream
from api.owners import own_generation
from api.problems import Invalid
from api.routes.examples import GENERATION, GENERATION_ID, UPLOADED
from api.routes.live import LAST, last_id
from api.speech import told
from api.studio_bodies import Feedback, NewStill, NewVideo, OneImage, Tweak
from api.suggesting import suggestion
from commands.creations import BeginStill, BeginTweak, BeginVideoAgain
from commands.generations import CancelCreation, GiveFeedback
from domain.generation_view import describe_generation
from domain.studio_config import COSTS_KEY, REGENERATION_KEY

router = APIRouter(prefix="/mma", tags=["studio"])
GenerationId = Annotated[str, Path(examples=[GENERATION_ID])]
REFUSALS = (403, 404, 409, 413, 422, 429, 503)
BEGUN = {
    "generation_id": GENERATION_ID,
    "stream_url": f"/mma/stream/{GENERATION_ID}",
    "position": 42,
}
SHORT = {"code": "INSUFFICIENT_MATCHA", "checkout_url": "https://shop.example/"}
LINES = (
    "event: message\r\nid: 43\r\n"
    f'data: {{"generation_id":"{GENERATION_ID}","kind":"message","text":"Making your picture."}}'
    "\r\n\r\n"
)


@router.post(
    "/still/create",
    **told(
        "Create a still from a brief, with up to six pictures",
        body=NewStill,
        example={
            "brief": "A cup of matcha on wet stone, morning light",
            "product_image": UPLOADED,
            "style": None,
            "settings": {"aspect_ratio": "4:3"},
        },
        answers={202: BEGUN, 402: SHORT},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def create_still(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, NewStill)
    must_be_ours(parts_of(request), body.assets)
    chosen: dict[str, Any] = {"settings": body.settings.chosen, "assets": body.assets}
    still = BeginStill(owner=who.pass_id, **new_ids(), brief=body.brief, style=body.style, **chosen)
    return await begin(request, who, still)


@router.post(
    "/still/{generation_id}/tweak",
    **told(
        "Make a still again from feedback: another prompt, everything else the same",
        body=Tweak,
        example={"feedback": "I hate the light you added"},
        answers={202: BEGUN, 402: SHORT},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def tweak_still(request: Request, generation_id: GenerationId) -> Response:
    who = signed_in(request, "user")
    await own_generation(request, who, generation_id)
    body = await read_body(request, Tweak)
    tweak = BeginTweak(owner=who.pass_id, **new_ids(), brief=body.feedback, parent=generation_id)
    return await begin(request, who, tweak)


@router.post(
    "/video/animate",
    **told(
        "Animate an image; a second one is where the video ends",
        body=NewVideo,
        example={"image": UPLOADED, "prompt": "The steam rises", "settings": {"duration": 5}},
        answers={202: BEGUN, 402: SHORT},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def animate(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, NewVideo)
    must_be_ours(parts_of(request), body.assets)
    return await begin(request, who, await animation(request, who, body))


@router.post(
    "/video/type-for-me",
    **told(
        "Have a movement suggested for an image, free of charge",
        body=OneImage,
        example={"image": UPLOADED},
        answers={200: {"prompt": "The steam rises slowly while the camera moves closer."}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def type_for_me(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, OneImage)
    must_be_ours(parts_of(request), body.assets)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        return answered(await recorded(request, who, await suggestion(request, who, body.image)))


@router.post(
    "/video/{generation_id}/feedback",
    **told(
        "Say something about a video; kept, and made again only where that is switched on",
        body=Feedback,
        example={"text": "Slower, please"},
        answers={200: {"generation_id": GENERATION_ID, "stored": True}, 202: BEGUN, 402: SHORT},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def video_feedback(request: Request, generation_id: GenerationId) -> Response:
    parts, who = parts_of(request), signed_in(request, "user")
    await own_generation(request, who, generation_id)
    body = await read_body(request, Feedback)
    again, _, _ = await config_of(parts, REGENERATION_KEY)
    if again:
        ids = {**new_ids(), "parent": generation_id}
        return await begin(request, who, BeginVideoAgain(owner=who.pass_id, brief=body.text, **ids))
    ids = {"feedback_id": str(uuid4()), "event_id": str(uuid4())}
    given = GiveFeedback(generation_id=generation_id, text=body.text, **ids)
    return await write(request, who, given)


@router.get(
    "/generations/{generation_id}",
    **told(
        "A still or a video: how far it is, what it was made from, what came of it",
        answers={200: GENERATION},
        problems=(403, 404, 422, 429, 503),
        query={**FRESH, **THEN},
    ),
)
async def read_generation(request: Request, generation_id: GenerationId) -> Response:
    who = signed_in(request, "user", "auditor")
    await own_generation(request, who, generation_id)
    then = as_of(request)
    await fresh(request, "generations")
    if then:
        return spoken(await generation_then(parts_of(request).ledger, generation_id, then))
    known = await own_generation(request, who, generation_id)
    return spoken(describe_generation(generation_id, known))


@router.post(
    "/generations/{generation_id}/cancel",
    **told(
        "Stop waiting for it; nothing is charged",
        body=NoBody,
        example={},
        answers={200: {"generation_id": GENERATION_ID, "status": "cancelled"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def cancel_generation(request: Request, generation_id: GenerationId) -> Response:
    who = signed_in(request, "user")
    await own_generation(request, who, generation_id)
    await read_body(request, NoBody)
    return await write(request, who, CancelCreation(generation_id=generation_id))


@router.get(
    "/stream/{generation_id}",
    **told(
        "What a generation tells whoever waits, from the first line to its end (docs/studio.md)",
        answers={200: LINES},
        problems=(403, 404, 429, 503),
        query={
            "last_event_id": (LAST, {"type": "string"}, "42"),
            "token": ("From POST /auth/socket-token, good once", {"type": "string"}, "eyJ…"),
        },
        media="text/event-stream",
    ),
)
async def stream_generation(request: Request, generation_id: GenerationId) -> Response:
    who = await signed_in_to_socket(request, "user", "auditor")
    await own_generation(request, who, generation_id)
    hub = parts_of(request).live
    thread, place = hub.thread(generation_id), await hub.place_in_thread(last_id(request))
    if await thread.over(place.after):
        return Response(status_code=204)  # which tells a browser not to come again
    return ThreadStream(hub, who, place, thread)


@router.get(
    "/quote",
    **told(
        "What it costs, in matcha",
        answers={
            200: {"kind": "still", "cost": 1, "config_id": "app_config:mma.costs:0", "version": 0}
        },
        problems=(403, 422, 429, 503),
        query={
            "kind": (
                "What is to be made.",
                {"type": "string", "enum": ["still", "tweak", "video"]},
                "still",
            )
        },
    ),
)
async def quote(request: Request) -> Response:
    signed_in(request, "user", "auditor")
    costs, version, id_ = await config_of(parts_of(request), COSTS_KEY)
    kind = request.query_params.get("kind", "")
    if kind not in costs:
        raise Invalid(("query.kind", f"one of {', '.join(costs)}"))
    said = {"kind": kind, "cost": costs[kind], "config_id": id_, "version": version}
    return spoken(said)
