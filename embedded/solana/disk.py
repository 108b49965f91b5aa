"""What changed the network, one line of JSON each, so that a killed process continues its chain."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

NAME = "solana.chain"


class Disk:
    """A line is in the kernel's hands before anybody is told of what it says. Without a `folder`
    nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._file: int | None = None
        self._written = b""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / NAME
            self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o644)
            content = path.read_bytes()
            self._written = content[: content.rfind(b"\n") + 1]
            os.ftruncate(self._file, len(self._written))  # half a line was told to nobody

    def lines(self) -> Iterator[dict[str, Any]]:
        """What an earlier process wrote, oldest first."""
        for line in self._written.splitlines():
            yield orjson.loads(line)

    def write(self, kind: str, **told: Any) -> None:
        if self._file is not None:
            os.write(self._file, orjson.dumps({"kind": kind, **told}) + b"\n")
