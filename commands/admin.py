"""What is recorded of administrators: every call they make, before it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from commands.command import Command, Seen
from domain.admin import AdminCall, AdminCalled, admin_call_stream
from domain.event import Event


class RecordAdminCall(Command):
    """`by` made a call; see AdminCalled for the rest."""

    call_id: str
    by: str
    method: str
    path: str
    query: str
    request: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield admin_call_stream(self.call_id)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        known = seen.get(AdminCall, admin_call_stream(self.call_id))
        facts = self.model_dump(exclude={"by"})
        return known.record(AdminCalled(**facts, pass_id=self.by))

    def pass_id(self, seen: Seen) -> str:
        return self.by
