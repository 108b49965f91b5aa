"""Upload: a picture that somebody brings, from its announcement to its permanent address.

begun (announced; its bytes go straight to a staging key) → rejected, any number of times, each time
another file may be put in its place → completed. A pasted URL is fetched by the server, which makes
the upload fetched and completed in one. What is completed never changes. Not on Kafka.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from domain.assets import STAGING
from domain.event import Event, Refused, Secret, event

BYTES_MAX: Final = 25 * 1024 * 1024
CONTENT_TYPES: Final = ("image/png", "image/jpeg", "image/webp")
PIXELS_MAX: Final = 40_000_000
ASPECT_MAX: Final = 16
PUT_LASTS: Final = timedelta(minutes=15)
REJECTIONS_MAX: Final = 10

SLOW_4G_BITS_PER_S: Final = 750_000
SETTLING_S: Final = 15

Purpose = Literal["product", "logo", "inspiration", "image", "end_image"]
Reason = Literal[
    "missing", "empty", "too_large", "content_type", "changed", "no_picture", "dimensions", "tries"
]
UrlReason = Literal[
    "malformed", "scheme", "credentials", "host", "port", "unreachable", "redirects", "answer"
]

_WHY: Final[dict[Reason, str]] = {
    "missing": "Nothing has arrived: put the file to its put_url and complete again, or begin a new"
    " upload when that address has expired.",
    "empty": "The file has no bytes.",
    "too_large": "The file is larger than 25 MB.",
    "content_type": "Only PNG, JPEG and WebP pictures are taken.",
    "changed": "The file is not the one that was announced: its size or its format differs.",
    "no_picture": "The file is damaged, cut, or no PNG, JPEG or WebP picture at all.",
    "dimensions": "The picture has over 40 million pixels, or one side is over 16 times the other.",
    "tries": "Too many files were refused here: begin a new upload.",
}
_WHY_NOT_FETCHED: Final[dict[UrlReason, str]] = {
    "malformed": "It is not a whole URL.",
    "scheme": "Only http and https are fetched.",
    "credentials": "It holds a name or a password.",
    "host": "Its host is neither a plain name nor a plainly written address.",
    "port": "Only ports 80 and 443 are fetched from.",
    "unreachable": "Nothing could be fetched from there in time.",
    "redirects": "It leads on and on.",
    "answer": "It answers with something else than a file.",
}


def upload_stream(upload_id: str) -> str:
    return f"upload:{upload_id}"


def staging_key(upload_id: str) -> str:
    return f"{STAGING}{upload_id}"


def stall_timeout_s(size: int) -> int:
    """Seconds after which an upload of `size` bytes counts as stalled (seed 001, 4.1 and 8.3).

    The time it takes at 750 kbit/s, the upward rate of Lighthouse's "Slow 4G" (its
    `mobileSlow4G`: 1.6 Mbit/s down, 750 kbit/s up), plus 15 s to connect and to be answered; never
    more than a file of 25 MB, the largest that is taken, may need.
    """
    bits = 8 * min(max(size, 0), BYTES_MAX)
    return SETTLING_S + -(-bits // SLOW_4G_BITS_PER_S)


# Events.


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadEvent(Event):
    upload_id: str

    @property
    def stream(self) -> str:
        return upload_stream(self.upload_id)


@event("upload_begun.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UploadBegun(UploadEvent):
    """`bytes` and `content_type` as announced; the address to put to is good until `expires_at`."""

    pass_id: str
    purpose: Purpose
    content_type: str
    bytes: int
    staging_key: str
    expires_at: datetime


@event("upload_fetched.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFetched(UploadEvent):
    """The server fetched it from `source`, the URL that was pasted."""

    pass_id: str
    purpose: Purpose
    source: Secret


@event("upload_completed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UploadCompleted(UploadEvent):
    """The very bytes that were checked are at `public_url` for ever."""

    public_url: str
    sha256: str
    content_type: str
    bytes: int
    width: int
    height: int


@event("upload_rejected.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRejectedOnce(UploadEvent):
    """`sha256` of the file that was refused, empty when it was too large to be read."""

    reason: Reason
    sha256: str


# Refusals.


class UploadRejected(Refused):
    """This upload cannot be used."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(_WHY[reason])
        self.members = {"reason": reason}


class UrlRejected(Refused):
    """This address cannot be used."""

    def __init__(self, reason: UrlReason) -> None:
        super().__init__(_WHY_NOT_FETCHED[reason])
        self.members = {"reason": reason}


# Values.


@dataclass(frozen=True, slots=True)
class Kept:
    """A checked picture at its permanent public URL."""

    public_url: str
    sha256: str
    content_type: str
    bytes: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a file is not taken; `sha256` as in the event."""

    reason: Reason
    sha256: str = ""


def announced(content_type: str, size: int) -> None:
    """UploadRejected for what is not worth sending."""
    if content_type not in CONTENT_TYPES:
        raise UploadRejected("content_type")
    if size < 1:
        raise UploadRejected("empty")
    if size > BYTES_MAX:
        raise UploadRejected("too_large")


@dataclass(frozen=True, slots=True)
class Upload:
    """`begun` is None for one that the server fetched; `rejected`: each refusal so far."""

    pass_id: str = ""
    begun: UploadBegun | None = None
    kept: Kept | None = None
    rejected: tuple[Rejection, ...] = ()

    # Questions.

    @property
    def spent(self) -> bool:
        return len(self.rejected) >= REJECTIONS_MAX

    # Decisions.

    def begin(self, begun: UploadBegun) -> list[Event]:
        if self.pass_id:
            return []
        announced(begun.content_type, begun.bytes)
        return [begun]

    def fetch(self, fetched: UploadFetched, kept: Kept) -> list[Event]:
        return [] if self.pass_id else [fetched, _completed(fetched.upload_id, kept)]

    def complete(self, upload_id: str, kept: Kept) -> list[Event]:
        return [] if self.kept else [_completed(upload_id, kept)]

    def reject(self, upload_id: str, why: Rejection) -> list[Event]:
        """A file that is not there yet is no refused file."""
        if self.kept or self.spent or why.reason == "missing" or why in self.rejected:
            return []
        return [UploadRejectedOnce(upload_id=upload_id, reason=why.reason, sha256=why.sha256)]

    # History.

    def evolve(self, event: Event) -> Upload:
        match event:
            case UploadBegun(pass_id=pass_id):
                return replace(self, pass_id=pass_id, begun=event)
            case UploadFetched(pass_id=pass_id):
                return replace(self, pass_id=pass_id)
            case UploadRejectedOnce(reason=reason, sha256=sha256):
                return replace(self, rejected=(*self.rejected, Rejection(reason, sha256)))
            case UploadCompleted():
                kept = Kept(
                    public_url=event.public_url,
                    sha256=event.sha256,
                    content_type=event.content_type,
                    bytes=event.bytes,
                    width=event.width,
                    height=event.height,
                )
                return replace(self, kept=kept)
        return self


def _completed(upload_id: str, kept: Kept) -> UploadCompleted:
    return UploadCompleted(upload_id=upload_id, **asdict(kept))
