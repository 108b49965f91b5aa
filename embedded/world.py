"""Composes a world from the settings: which parts run here, what they are told, what is printed.

A part whose setting is given (spec `contract.md` §10) is not started; the given one is used.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from dotenv import dotenv_values

from embedded import describe
from embedded.allowances import allow_dev_wallets
from embedded.keeper import Keeper
from embedded.parts.anvil import Anvil
from embedded.parts.application import Api, Consumers, Projections, Twins
from embedded.parts.kafka import Kafka
from embedded.parts.part import Part
from embedded.parts.postgres import Postgres
from embedded.parts.s3 import S3
from embedded.parts.vendors import VENDORS
from embedded.place import Place, WorldError, ed25519_pem, read_json, write_atomically
from embedded.process import end_orphans, python
from embedded.supervisor import Errand, Progress, Supervisor
from settings import Settings

# Proof that a payment never was on the chain takes as many blocks: not a minute of a person's time.
FINALITY_BLOCKS = 24

PARTS = ("postgres", "kafka", "s3", "anvil", "twins", "api", "projections", "consumers")


@dataclass
class World:
    settings: Settings
    place: Place
    only: frozenset[str] = frozenset(PARTS)
    keepers: list[Keeper] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keepers = [
            Keeper(part, self.place, self.environment, self.write) for part in self.parts
        ]

    @cached_property
    def parts(self) -> list[Part]:
        """The parts that run here, in the order of their names in the contract."""
        given, place = self.settings, self.place
        twins = self._twins_wanted()
        candidates: list[tuple[Part, object]] = [
            (Postgres(place), given.database_url),
            (Kafka(place), given.kafka_bootstrap_servers),
            (S3(place), given.s3_endpoint_url),
            (Anvil(place), given.evm_rpc_urls),
            (Twins(place, twins), not twins),
            (Api(given.mega_port), None),
            (Projections(place), None),
            (Consumers(place), None),
        ]
        return [part for part, real in candidates if part.name in self.only and not real]

    def _twins_wanted(self) -> tuple[str, ...]:
        return tuple(
            name
            for name, vendor in VENDORS.items()
            if vendor.url_setting.lower() not in self.settings.model_fields_set
        )

    @property
    def errands(self) -> list[Errand]:
        names = {part.name for part in self.parts}
        if self.settings.database_url is None and "postgres" not in names:
            return []
        errands = [Errand("migrate", ("postgres",), self._migrate)]
        if self.environment()["MEGA_ENV"] == "dev":
            errands.append(Errand("allowlist", ("migrate",), self._allow_dev_wallets))
        return errands

    def environment(self) -> dict[str, str]:
        """What every process of ours is told: development defaults, parts, then what was given."""
        env = self._defaults()
        for part in self.parts:
            env |= part.gives()
        # A setting of the person who started the world wins, wherever it was written.
        return env | self._given()

    def _defaults(self) -> dict[str, str]:
        secret, port = self.place.secrets.get, self.settings.mega_port
        hs256 = self.settings.mega_jwt_alg == "HS256"
        return {
            "MEGA_ENV": "dev",
            "MEGA_PORT": str(port),
            "MEGA_PUBLIC_HOST": f"127.0.0.1:{port}",
            "MEGA_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "MEGA_JWT_KEY": secret("jwt_hs256") if hs256 else secret("jwt_ed25519", ed25519_pem),
            "MEGA_MASTER_KEY": secret("master_key", _key_32),
            "MEGA_STATEMENT_KEY": secret("statement_key", ed25519_pem),
            "MEGA_KLING_CALLBACK_SECRET": secret("kling_callback"),
            "EVM_CONFIRMATIONS": str(self.settings.evm_confirmations),
            "EVM_FINALITY_BLOCKS": str(FINALITY_BLOCKS),
            "MEGA_FACILITATOR": "onchainfi",
            "PYTHONUNBUFFERED": "1",
        }

    def _given(self) -> dict[str, str]:
        names = {name.upper() for name in self.settings.model_fields_set}
        written = {**dotenv_values(".env"), **os.environ}
        paths = {
            "MEGA_DATA_DIR": str(self.place.data),
            "MEGA_LOG_DIR": str(self.place.logs),
            "MEGA_WORLD_FILE": str(self.place.world_file),
        }
        return {name: value for name, value in written.items() if name in names and value} | paths

    async def _migrate(self) -> None:
        command = python("-m", "cli", "migrate", env=self.environment())
        with self.place.log("migrate").open("wb") as output:
            child = await asyncio.create_subprocess_exec(
                *command.argv,
                env={**os.environ, **command.env},
                cwd=command.cwd,
                stdout=output,
                stderr=output,
            )
            if await child.wait():
                raise WorldError(f"The migrations failed; see {self.place.log('migrate')}.")

    async def _allow_dev_wallets(self) -> None:
        await allow_dev_wallets(self.environment()["DATABASE_URL"])

    def write(self) -> None:
        """Write world.json, what `GET /dev/world` serves; readable by its owner only."""
        write_atomically(self.place.world_file, json.dumps(self.describe(), indent=1), mode=0o600)

    def describe(self) -> dict[str, Any]:
        """The world of contract.md §11, as far as it exists in this version."""
        wallets = list(read_json(self.place.wallets_file).get("wallets", []))
        urls: dict[str, str] = {}
        for twins in (part for part in self.parts if isinstance(part, Twins)):
            urls |= twins.urls()
            wallets += twins.wallets()
        return describe.world(self.settings, self.environment(), urls, wallets, self.keepers)

    def choose_ports(self) -> None:
        """All ports at once, so that no two parts are told the same one."""
        self.place.ports.reserve(*(port for part in self.parts for port in part.ports()))


def _key_32() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def make_world(settings: Settings, only: Iterable[str] = PARTS) -> World:
    """A world in MEGA_DATA_DIR; `only` names the parts to start."""
    unknown = set(only) - set(PARTS)
    if unknown:
        raise WorldError(f"There is no part named {', '.join(sorted(unknown))}.")
    place = Place.at(settings.mega_data_dir, settings.mega_log_dir)
    return World(settings, place, frozenset(only))


class Terminal(Progress, Protocol):
    """Told what the person who started the world wants to know."""

    def orphans(self, names: list[str]) -> None: ...

    def announce(self, world: Mapping[str, Any]) -> None: ...


async def run_world(world: World, terminal: Terminal) -> None:
    """Run until SIGINT or SIGTERM, then stop everything; `terminal` hears all of it."""
    with world.place.claim():
        orphans = await end_orphans(world.place.pids)
        if orphans:
            terminal.orphans(orphans)
        world.choose_ports()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        supervisor = Supervisor(world.keepers, world.errands, terminal)
        try:
            await supervisor.run(stop, lambda: terminal.announce(world.describe()))
        except ExceptionGroup as several:
            raise _first(several) from None
        finally:
            world.write()


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """What ended the world: a sentence for people if there is one, else the crash itself."""
    told, crashed = group.split(WorldError)
    found = (crashed or told or group).exceptions[0]
    return _first(found) if isinstance(found, ExceptionGroup) else found
