"""What can be asked of an Upload: to begin, to be fetched, completed or rejected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from commands.command import Answer, Command, Seen
from domain.event import Event
from domain.upload import (
    Kept,
    Purpose,
    Rejection,
    Upload,
    UploadBegun,
    UploadFetched,
    upload_stream,
)


class WithUpload(Command):
    upload_id: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield upload_stream(self.upload_id)

    def upload(self, seen: Seen) -> Upload:
        return seen.get(Upload, upload_stream(self.upload_id))

    def pass_id(self, seen: Seen) -> str | None:
        return self.upload(seen).pass_id or None


class SeeUpload(WithUpload):
    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class BeginUpload(WithUpload):
    """`told` is how to put the file, signed; kept with an idempotency key it is sealed."""

    owner: str
    purpose: Purpose
    content_type: str
    bytes: int
    staging_key: str
    expires_at: datetime
    told: dict[str, Any]

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        begun = UploadBegun(
            upload_id=self.upload_id,
            pass_id=self.owner,
            purpose=self.purpose,
            content_type=self.content_type,
            bytes=self.bytes,
            staging_key=self.staging_key,
            expires_at=self.expires_at,
        )
        return self.upload(seen).begin(begun)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"upload_id": self.upload_id, **self.told}, secret=True)


class FetchUpload(WithUpload):
    """The server has fetched, checked and stored what `source` names."""

    owner: str
    purpose: Purpose
    source: str
    kept: Kept

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        fetched = UploadFetched(
            upload_id=self.upload_id, pass_id=self.owner, purpose=self.purpose, source=self.source
        )
        return self.upload(seen).fetch(fetched, self.kept)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"upload_id": self.upload_id, "public_url": self.kept.public_url})


class CompleteUpload(WithUpload):
    """The first picture that was completed is the answer, whatever came after."""

    kept: Kept

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.upload(seen).complete(self.upload_id, self.kept)

    def answer(self, seen: Seen, new: bool) -> Answer:
        kept = self.upload(seen).kept
        assert kept is not None
        return Answer(200, {"public_url": kept.public_url})


class RejectUpload(WithUpload):
    why: Rejection

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.upload(seen).reject(self.upload_id, self.why)
