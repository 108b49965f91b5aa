"""What a twin did, and what time it is there. Both outlive the process when there is a folder."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

MAX_TEXT = 20_000


class Journal:
    """The effects one twin performed: `{id, kind, at, request, …}`, oldest first.

    A line of JSON each in `<folder>/<name>.jsonl`, written by one call to the kernel before the
    vendor's answer leaves, so that kill -9 loses no effect a caller was told about. The twin's
    clock (offset in seconds) lies beside it in `<name>.clock`. Without a `folder` nothing is kept.
    """

    def __init__(self, name: str, folder: Path | None) -> None:
        self.name = name
        self.folder = folder
        self.items: list[dict[str, Any]] = []
        self._advanced = timedelta()
        self._clock_file = folder / f"{name}.clock" if folder else None
        self._file: int | None = None
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            self._load(folder / f"{name}.jsonl")

    def now(self) -> datetime:
        return datetime.now(UTC) + self._advanced

    def advance(self, seconds: int) -> datetime:
        """Move the twin's clock forward; its new time."""
        self._advanced += timedelta(seconds=seconds)
        if self._clock_file:
            draft = self._clock_file.with_suffix(".draft")
            draft.write_text(str(int(self._advanced.total_seconds())))
            draft.replace(self._clock_file)
        return self.now()

    def record(self, kind: str, request: object, details: dict[str, Any]) -> str:
        """Keep one performed effect; its id, `<twin>-<number>` counted from 1."""
        number = f"{self.name}-{len(self.items) + 1:06d}"
        at = self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        item = {"id": number, "kind": kind, "at": at, "request": _bounded(request), **details}
        if self._file is not None:
            os.write(self._file, json.dumps(item).encode() + b"\n")
        self.items.append(item)
        return number

    def find(self, number: str) -> dict[str, Any] | None:
        return next((item for item in self.items if item["id"] == number), None)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _load(self, path: Path) -> None:
        if self._clock_file and self._clock_file.exists():
            self._advanced = timedelta(seconds=int(self._clock_file.read_text()))
        self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o644)
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):  # the last write was cut by a power loss; nobody was told
            os.ftruncate(self._file, len(whole))
        self.items = [json.loads(line) for line in whole.splitlines()]


def _bounded(value: object) -> object:
    """The same value with very long texts (pictures in base64) replaced by their length."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{value[:80]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {name: _bounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_bounded(inner) for inner in value]
    return value
