"""Files that a twin keeps for ever, in `<folder>/<name>/` of its journal, else in memory."""

from __future__ import annotations

from pathlib import Path

from embedded.twins.journal import Journal


class Shelf:
    """Bytes by name. Names are the twin's own, safe as names of files."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def keep(self, journal: Journal, name: str, content: bytes) -> None:
        """Returns once a kill -9 cannot undo it any more."""
        folder = _folder(journal)
        if folder is None:
            self._kept[name] = content
            return
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{name}.draft"
        draft.write_bytes(content)
        draft.replace(folder / name)

    def find(self, journal: Journal, name: str) -> bytes | None:
        folder = _folder(journal)
        if folder is None:
            return self._kept.get(name)
        file = folder / name
        return file.read_bytes() if file.exists() else None


def _folder(journal: Journal) -> Path | None:
    return journal.folder / journal.name if journal.folder else None
