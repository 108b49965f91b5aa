"""What `mega run` prints on its way up and down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table


class Terminal:
    """Prints one line a part on its way up, and at the end where everything listens."""

    def __init__(self, console: Console, world_file: Path) -> None:
        self._console = console
        self._world_file = world_file
        self._began = monotonic()
        self._busy: list[str] = []
        self._status = console.status("starting")
        self._status.start()

    def begun(self, name: str) -> None:
        self._busy.append(name)
        self._show()

    def ready(self, name: str, took_s: float, where: str) -> None:
        self._busy.remove(name)
        self._console.print(f"  [green]✓[/] {name:<12}{took_s:5.1f} s  [dim]{where}[/]")
        self._show()

    def stopping(self, name: str) -> None:
        self._status.start()
        self._status.update(f"stopping {name}")

    def _show(self) -> None:
        self._status.update(f"starting {', '.join(self._busy)}" if self._busy else "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def orphans(self, names: list[str]) -> None:
        self._console.print(f"  ended what the last run left behind: {', '.join(names)}")

    def announce(self, world: Mapping[str, Any]) -> None:
        self._status.stop()
        table = Table(box=None, show_header=False, padding=(0, 2), pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, where in _addresses(world, self._world_file):
            table.add_row(name, where)
        self._console.print(f"\nReady after {monotonic() - self._began:.1f} s.\n")
        self._console.print(table)
        if any(process["name"] == "api" for process in world["processes"]):
            folder = os.environ.get("MEGA_DATA_DIR")
            where = f"MEGA_DATA_DIR={folder} " if folder else ""
            self._console.print(f"\nNext, in another terminal:  [bold]{where}make demo[/]")
            self._console.print(f"  (the same as  {where}.venv/bin/mega demo role-mint)")
        self._console.print("\nCtrl-C stops everything; the data stay.")


def _addresses(world: Mapping[str, Any], world_file: Path) -> list[tuple[str, str]]:
    evm = world["evm"] or {}
    running = {process["name"] for process in world["processes"]}
    lines = [
        ("API", world["api"] if "api" in running else None),
        ("API docs", f"{world['api']}/docs" if "api" in running else None),
        ("World", f"{world['api']}/dev/world" if "api" in running else None),
        ("PostgreSQL", _without_password(world["database_url"])),
        ("Kafka", world["kafka"]["bootstrap"]),
        ("S3", world["s3"]["endpoint"]),
        ("Base (anvil)", evm.get("rpc")),
        *((f"twin {name}", url) for name, url in world["twins"].items()),
        ("Logs", world["logs"]),
        ("All of it", str(world_file)),
    ]
    return [(name, where) for name, where in lines if where]


def _without_password(url: str | None) -> str | None:
    """Where the database is; who may log in, with which password, is in world.json."""
    return url and urlsplit(url)._replace(netloc=url.rpartition("@")[2].partition("/")[0]).geturl()
