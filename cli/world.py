"""Where a command finds the world: its settings, or the one that runs in the data folder."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.audit import Rows
    from ledger.ledger import Ledger
    from settings import Settings

CONNECT_S = 5


def running_world() -> dict[str, Any]:
    """world.json of the world in MEGA_DATA_DIR; ends with a sentence when there is none."""
    from settings import Settings

    path = Settings.load_or_exit().mega_data_dir / "world.json"
    if not path.exists():
        raise SystemExit(f"No world has run in {path.parent.resolve()}. Start one with: make run")
    return _read(path)


def settings(*required: str) -> Settings:
    """The settings, and for those that are not given what the world in MEGA_DATA_DIR has.

    A database that is given is only joined by that world's settings when it is its own: what was
    made for development never signs for another deployment.
    """
    from settings import Settings

    given = Settings.load_or_exit()
    world = _read(given.mega_data_dir / "world.json")
    if given.database_url not in (None, world.get("database_url")):
        return Settings.load_or_exit(required)
    found = {
        "database_url": world.get("database_url"),
        "database_admin_url": world.get("database_admin_url"),
        "kafka_bootstrap_servers": world.get("kafka", {}).get("bootstrap"),
        "mega_statement_key": _read(given.mega_data_dir / "secrets.json").get("statement_key"),
        **_solana(world),
    }
    missing = {name: value for name, value in found.items() if value and not getattr(given, name)}
    if not (given.database_url or missing.get("database_url")):
        raise SystemExit(
            f"No world has run in {given.mega_data_dir.resolve()} and DATABASE_URL is not set."
            " Start a world with make run, or set DATABASE_URL."
        )
    return Settings.load_or_exit(required, **missing)


def _solana(world: Mapping[str, Any]) -> dict[str, str]:
    """Of the development network; a network that was given brings its own authority."""
    solana, twin = world.get("solana") or {}, world.get("twins", {}).get("solana")
    if not twin or solana.get("rpc") != twin:
        return {}
    from embedded.solana.genesis import authority

    return {
        "solana_rpc_urls": twin,
        "solana_treasury": solana.get("treasury", ""),
        "solana_authority_key": authority().private_key,
    }


def database() -> str:
    """The URL of the ledger's database, which answers; else psycopg says why, within seconds."""
    import psycopg

    url = settings().database
    psycopg.connect(url, connect_timeout=CONNECT_S).close()
    return url


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[Rows]:
    """A connection as what executes a statement and gives its rows."""
    import psycopg

    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:

        async def rows(statement: Any, values: Mapping[str, Any]) -> Sequence[Any]:
            return await (await connection.execute(statement, values)).fetchall()

        yield rows


def sealed_ledger(url: str, ahead: Callable[[], timedelta] = timedelta) -> Ledger:
    """For what reads events sealed, as projections do, and writes no secret: no key is needed.
    `ahead` as the Ledger's."""
    from ledger.ledger import Ledger

    return Ledger(url, master_key=bytes(32), ahead=ahead)


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found
