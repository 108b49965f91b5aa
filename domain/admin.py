"""Calls of administrators: each is a fact of its own, and a row of `mega_admin` in one append.

`contract.md` §7: scope `admin`, every call is itself a row of `mega_admin`.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.event import Event, event


def admin_call_stream(call_id: str) -> str:
    return f"admin_audit:{call_id}"


@event("admin_called.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class AdminCalled(Event):
    """`pass_id` asked `method` `path` with this query and body.

    `request` is the body as canonical JSON, or `sha256:…` of one beyond 4,000 characters.
    """

    call_id: str
    pass_id: str
    method: str
    path: str
    query: str
    request: str

    @property
    def stream(self) -> str:
        return admin_call_stream(self.call_id)


@dataclass(frozen=True, slots=True)
class AdminCall:
    """One call; nothing more ever happens to it."""

    recorded: AdminCalled | None = None

    def record(self, call: AdminCalled) -> list[Event]:
        return [] if self.recorded else [call]

    def evolve(self, event: Event) -> AdminCall:
        return AdminCall(event) if isinstance(event, AdminCalled) else self
