"""What a generation remembers of its steps and of who makes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Step:
    """`output` is what it gave, as recorded; None: it failed, with an `error` of this class."""

    number: int
    type: str
    output: dict[str, Any] | None
    error: str = ""


@dataclass(frozen=True)
class Media:
    """The newest attempt to have it made; `task_id` is empty while the provider has not answered,
    or answers at once."""

    attempt: int
    provider: str
    model: str
    requested_at: datetime
    task_id: str = ""
