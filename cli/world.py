"""Where a command finds the world: its settings, or the one that runs in the data folder."""

from __future__ import annotations

import json
from typing import Any

from settings import Settings


def running_world() -> dict[str, Any]:
    """world.json of the running world; ends with a sentence when there is none."""
    path = Settings.load_or_exit().mega_data_dir / "world.json"
    if not path.exists():
        raise SystemExit(f"No world has run in {path.parent}. Start one with: make run")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def database_url() -> str:
    """DATABASE_URL if it is set, else the database of the running world."""
    return Settings.load_or_exit().database_url or str(running_world()["database_url"])
