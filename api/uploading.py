"""The work behind the upload routes: announce, check, keep."""

from __future__ import annotations

from uuid import uuid4

from starlette.requests import Request

from api.deps import context, parts_of
from api.principal import Principal
from commands.command import handle, look
from commands.uploads import BeginUpload, CompleteUpload, FetchUpload, RejectUpload, SeeUpload
from domain.upload import (
    PUT_LASTS,
    Purpose,
    Rejection,
    UploadRejected,
    announced,
    staging_key,
    stall_timeout_s,
)


def beginning(
    request: Request, who: Principal, content_type: str, size: int, purpose: Purpose
) -> BeginUpload:
    """An upload with an address to put it to; UploadRejected for what is not worth sending."""
    announced(content_type, size)
    parts, upload_id = parts_of(request), str(uuid4())
    key = staging_key(upload_id)
    told = {
        "put_url": parts.uploads.put_url(key, content_type, size, PUT_LASTS),
        "headers": {"Content-Type": content_type},
        "stall_timeout_s": stall_timeout_s(size),
    }
    return BeginUpload(
        upload_id=upload_id,
        owner=who.pass_id,
        purpose=purpose,
        content_type=content_type,
        bytes=size,
        staging_key=key,
        expires_at=parts.clock.now() + PUT_LASTS,
        told=told,
    )


async def completion(request: Request, who: Principal, upload_id: str) -> CompleteUpload:
    """What records the picture that was put there; UploadRejected, recorded too, if it is none."""
    parts, see = parts_of(request), SeeUpload(upload_id=upload_id)
    upload = see.upload(await look(parts.ledger, see))
    if upload.kept:
        return CompleteUpload(upload_id=upload_id, kept=upload.kept)
    if upload.spent:
        raise UploadRejected("tries")
    begun = upload.begun
    assert begun is not None, "what was fetched is kept"
    found = await parts.uploads.take(begun.staging_key, begun.content_type, begun.bytes)
    if isinstance(found, Rejection):
        rejected = RejectUpload(upload_id=upload_id, why=found)
        await handle(parts.ledger, rejected, context(request, who))
        raise UploadRejected(found.reason)
    return CompleteUpload(upload_id=upload_id, kept=found)


async def fetched(request: Request, who: Principal, url: str, purpose: Purpose) -> FetchUpload:
    """What records the picture behind a pasted URL; UrlRejected or UploadRejected."""
    found = await parts_of(request).uploads.fetch(url)
    if isinstance(found, Rejection):
        raise UploadRejected(found.reason)
    return FetchUpload(
        upload_id=str(uuid4()), owner=who.pass_id, purpose=purpose, source=url, kept=found
    )
