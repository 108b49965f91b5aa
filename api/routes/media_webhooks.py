"""What makers of media, and Helius, tell us without being asked: a nudge, and never a fact.

Kling signs nothing, so its address has a secret in it; Replicate signs by Standard Webhooks; who
was added by config has an address that names the generation; Helius says a password. Spec
`providers.md` §2b, §3, §6.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.body import read_bytes
from api.calling_back import (
    document,
    is_news,
    must_be,
    must_be_for,
    must_be_signed,
    nudged,
    of_reference,
    of_task,
)
from api.deps import parts_of, spoken
from api.routes.examples import GENERATION_ID
from api.speech import told

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
SAID: dict[str, Any] = {
    "answers": {200: {"received": True}},
    "problems": (401, 413, 429, 503),
    "signed_in": False,
}

Secret = Annotated[str, Path(examples=["a-secret-that-only-the-maker-was-told"])]
GenerationId = Annotated[str, Path(examples=[GENERATION_ID])]


@router.post("/kling/{secret}", **told("Kling has news of a video", **SAID))
async def kling(request: Request, secret: Secret) -> Response:
    must_be(secret, parts_of(request).settings.mega_kling_callback_secret, request)
    said = document(await read_bytes(request))
    if not is_news(said, "task_status"):
        return spoken({"received": True})
    found = of_reference(said) or await of_task(request, said.get("task_id"))
    return await nudged(request, found)


@router.post("/replicate", **told("Replicate has news of a still or video", **SAID))
async def replicate(request: Request) -> Response:
    said = await must_be_signed(request)
    if not is_news(said, "status"):
        return spoken({"received": True})
    return await nudged(request, await of_task(request, said.get("id")))


@router.post("/media/{token}/{generation_id}", **told("A maker has news of a generation", **SAID))
async def media(request: Request, token: Secret, generation_id: GenerationId) -> Response:
    must_be_for(generation_id, token, request)
    await read_bytes(request)
    return await nudged(request, generation_id)


@router.post("/helius", **told("Helius has seen a transaction", **SAID))
async def helius(request: Request) -> Response:
    """The chain is asked all the time, so that nothing depends on what is dropped here."""
    said = request.headers.get("authorization", "")
    must_be(said, parts_of(request).settings.helius_webhook_auth, request)
    await read_bytes(request)
    return spoken({"received": True})
