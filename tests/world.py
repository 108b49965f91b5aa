"""The parts a test run uses, each started once when the first test asks for it.

They are the parts of `mega run`, in a temporary folder, on free ports, without restarts. Tests are
kept apart by what they are given: a database of their own, a prefix of their own for topics, a
chain of their own when they steer it.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from embedded.keeper import Keeper
from embedded.parts.anvil import Anvil
from embedded.parts.application import Twins
from embedded.parts.kafka import Kafka
from embedded.parts.part import Part
from embedded.parts.postgres import APPLICATION, OWNER, SUPERUSER, Postgres
from embedded.parts.s3 import S3
from embedded.place import CHECKOUT, Place, ed25519_pem, read_json
from ledger.migrate import migrate
from settings import Settings

T = TypeVar("T")

TEMPLATE = "mega_template"


@dataclass(frozen=True)
class Database:
    """A database of one test: `url` as the application, `admin_url` as the owner of the tables."""

    name: str
    url: str
    admin_url: str
    superuser_url: str


@dataclass(frozen=True)
class Chain:
    """A development chain with the contracts on it; mines a block for each transaction."""

    rpc_url: str
    contracts: Mapping[str, Any]
    wallets: tuple[Mapping[str, str], ...]
    env: Mapping[str, str]
    keeper: Keeper


class TestWorld:
    """Starts parts on first use and stops them all in `close`."""

    __test__ = False

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        folder.chmod(0o711)  # PostgreSQL runs as another user and must reach its data
        self.place = Place.at(folder / "world")
        self.place.data.chmod(0o711)
        self._parts: dict[str, Part] = {
            part.name: part
            for part in (
                Postgres(self.place, durable=durable),
                Kafka(self.place),
                S3(self.place),
                Anvil(self.place, block_time_s=None),
                Twins(self.place),
            )
        }
        self.place.ports.reserve(*(port for part in self._parts.values() for port in part.ports()))
        self._keepers: dict[str, Keeper] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="world", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` on the world's own event loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def keeper(self, name: str) -> Keeper:
        """The part `name` of `embedded`, running; `world.run(keeper.stop())` takes it down."""
        if name not in self._keepers:
            keeper = Keeper(self._parts[name], self.place, self.environment)
            self.run(keeper.start())
            self._keepers[name] = keeper
        return self._keepers[name]

    def gives(self, name: str) -> dict[str, str]:
        """The settings by which a process reaches the part `name`, which is started for it."""
        return self.keeper(name).part.gives()

    def environment(self) -> dict[str, str]:
        """Settings that every process of ours needs, but for the parts'."""
        secret = self.place.secrets.get
        return {
            "MEGA_ENV": "dev",
            "MEGA_PUBLIC_HOST": "localhost",
            "MEGA_DATA_DIR": str(self.place.data),
            "MEGA_LOG_DIR": str(self.place.logs),
            "MEGA_JWT_KEY": secret("jwt_ed25519", ed25519_pem),
            "MEGA_MASTER_KEY": secret("master_key", key_32),
            "MEGA_STATEMENT_KEY": secret("statement_key", ed25519_pem),
        }

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A copy of the migrated template, gone at the end whoever is still connected."""
        postgres = self._postgres()
        name = f"t{secrets.token_hex(6)}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
            sql.Identifier(name), sql.Identifier(TEMPLATE), sql.Identifier(OWNER)
        )
        # Privileges on a database are not copied with it; rebuilds make a schema of their own.
        grant = sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(
            sql.Identifier(name), sql.Identifier(APPLICATION)
        )
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        admin_url = postgres.url(SUPERUSER, "postgres")
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(copy)
            admin.execute(grant)
        try:
            yield Database(
                name=name,
                url=postgres.url(APPLICATION, name),
                admin_url=postgres.url(OWNER, name),
                superuser_url=postgres.url(SUPERUSER, name),
            )
        finally:
            with psycopg.connect(admin_url, autocommit=True) as admin:
                admin.execute(drop)

    def _postgres(self) -> Postgres:
        fresh = "postgres" not in self._keepers
        postgres = self.keeper("postgres").part
        assert isinstance(postgres, Postgres)
        if fresh:
            owner = postgres.url(OWNER, "postgres")
            with psycopg.connect(owner, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
            migrate(postgres.url(OWNER, TEMPLATE), app_role=APPLICATION)
        return postgres

    @contextmanager
    def chain(self) -> Iterator[Chain]:
        """A chain nobody else uses: tests may stop its mining, take back blocks or kill it."""
        place = Place.at(self.place.data / f"chain-{secrets.token_hex(4)}")
        keeper = Keeper(Anvil(place, block_time_s=None), place, self.environment)
        self.run(keeper.start())
        try:
            yield describe_chain(keeper, place)
        finally:
            self.run(keeper.stop())

    def shared_chain(self) -> Chain:
        """One chain for all tests that only add to it."""
        return describe_chain(self.keeper("anvil"), self.place)

    def close(self) -> None:
        for keeper in reversed(self._keepers.values()):
            self.run(keeper.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def describe_chain(keeper: Keeper, place: Place) -> Chain:
    return Chain(
        rpc_url=keeper.part.where(),
        contracts=read_json(place.contracts_file),
        wallets=tuple(read_json(place.wallets_file)["wallets"]),
        env=keeper.part.gives(),
        keeper=keeper,
    )


def key_32() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@contextmanager
def open_world(*, durable: bool = False) -> Iterator[TestWorld]:
    """`durable`: PostgreSQL waits for its disk, as in production; tests need not."""
    folder = Path(tempfile.mkdtemp(prefix="mega-test-"))
    world = TestWorld(folder, durable=durable)
    try:
        yield world
    finally:
        world.close()
        shutil.rmtree(folder)


class Child:
    """A process of ours that a test started: `python -m MODULE ARGUMENTS`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def stop(self, patience_s: float = 10.0) -> int:
        """SIGTERM, then SIGKILL for one that does not listen; the exit status."""
        self._process.terminate()
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            return self._process.wait()


def start_child(arguments: tuple[str, ...], env: Mapping[str, str], folder: Path) -> Child:
    """Start `python -m ARGUMENTS` with `env` as its only settings; its output goes to a log."""
    known = {name.upper() for name in Settings.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name not in known}
    log = folder / f"{arguments[0].replace('/', '.')}-{secrets.token_hex(3)}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ("setpriv", "--pdeathsig", "SIGKILL", "--", sys.executable, "-m", *arguments),
            env={**inherited, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1", **env},
            cwd=folder,  # where there is no .env
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(process, log)
