"""Uploads: pictures that go into a generation, by file or by URL (seed 001 §4.1, `contract.md` §7).

The file itself never passes through here: it is put to the store, checked at `complete`, and kept
under an address that lasts.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints

from api.body import Body, NoBody, read_body
from api.deps import answered, parts_of, recorded, recorded_before, signed_in, underway, write
from api.owners import own_upload
from api.routes.examples import UPLOAD_ID, UPLOADED
from api.speech import told
from api.uploading import beginning, completion, fetched
from domain.upload import Purpose, staging_key

router = APIRouter(prefix="/uploads", tags=["Uploads"])
REFUSALS = (403, 404, 409, 410, 413, 422, 429, 503)

UploadId = Annotated[str, Path(examples=[UPLOAD_ID])]


class NewUpload(Body):
    content_type: Annotated[str, StringConstraints(max_length=100)]
    bytes: Annotated[int, Field(ge=0, lt=2**53)]
    purpose: Purpose


class PastedUrl(Body):
    url: Annotated[str, StringConstraints(min_length=1, max_length=2048)]
    purpose: Purpose


@router.post(
    "",
    **told(
        "Announce a file; PUT it to `put_url` with `headers`, then complete",
        body=NewUpload,
        example={"content_type": "image/png", "bytes": 482913, "purpose": "product"},
        answers={
            200: {
                "upload_id": UPLOAD_ID,
                "put_url": f"https://store.example/assets/staging/{UPLOAD_ID}?X-Amz-Signature=…",
                "headers": {"Content-Type": "image/png"},
                "stall_timeout_s": 21,
            }
        },
        problems=REFUSALS,
        keyed=True,
    ),
)
async def begin_upload(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, NewUpload)
    return await write(
        request, who, beginning(request, who, body.content_type, body.bytes, body.purpose)
    )


@router.post(
    "/from-url",
    **told(
        "Take the picture behind a URL; the server fetches it",
        body=PastedUrl,
        example={"url": "https://pictures.example/cup.png", "purpose": "inspiration"},
        answers={200: {"upload_id": UPLOAD_ID, "public_url": UPLOADED}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def upload_from_url(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, PastedUrl)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        command = await fetched(request, who, body.url, body.purpose)
        return answered(await recorded(request, who, command))


@router.post(
    "/{upload_id}/complete",
    **told(
        "Check the file that was put and keep it; asked again, the same answer",
        body=NoBody,
        example={},
        answers={200: {"public_url": UPLOADED}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def complete_upload(request: Request, upload_id: UploadId) -> Response:
    who = signed_in(request, "user")
    await own_upload(request, who, upload_id)
    await read_body(request, NoBody)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        told_ = await recorded(request, who, await completion(request, who, upload_id))
        await parts_of(request).uploads.discard(staging_key(upload_id))
        return answered(told_)
