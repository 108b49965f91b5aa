"""Our own processes: each is `python -m NAME` with the settings of the world in its environment."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import ClassVar

import httpx

from embedded.parts.part import Part
from embedded.place import Place
from embedded.process import Command, python


class Api(Part):
    name = "api"
    needs = ("migrate", "s3", "anvil", "twins")

    def __init__(self, port: int) -> None:
        self._port = port

    def command(self, env: Mapping[str, str]) -> Command:
        return python("-m", "api", env=env)

    async def healthy(self) -> bool:
        return await answers(f"{self.where()}/healthz")

    def where(self) -> str:
        return f"http://127.0.0.1:{self._port}"


class Twins(Part):
    """All providers' twins in one process; each has its own path below one port."""

    name = "twins"
    needs = ()

    # Where the vendor's base URL is a setting, the twin stands there; the key is ours to choose.
    SETTINGS: ClassVar[dict[str, str]] = {"seedream": "SEEDREAM", "openai": "OPENAI"}

    def __init__(self, place: Place, wanted: tuple[str, ...]) -> None:
        """`wanted` are the twins whose vendor is not replaced by a real one."""
        self._place = place
        self._wanted = wanted

    def ports(self) -> tuple[str, ...]:
        return ("twins",)

    def urls(self) -> dict[str, str]:
        """Base URL of every twin, by name."""
        return {name: f"{self.where()}/{name}" for name in self._wanted}

    def command(self, env: Mapping[str, str]) -> Command:
        port = str(self._place.ports["twins"])
        own = {"MEGA_TWINS_PORT": port, "MEGA_TWINS_DIR": str(self._place.folder("twins"))}
        return python("-m", "embedded.twins", env={**env, **own})

    async def healthy(self) -> bool:
        return await answers(f"{self.where()}/healthz")

    def gives(self) -> dict[str, str]:
        given = {}
        for name, url in self.urls().items():
            given[f"{self.SETTINGS[name]}_URL"] = url
            given[f"{self.SETTINGS[name]}_KEY"] = self._place.secrets.get(f"{name}_key")
        return given

    def where(self) -> str:
        return f"http://127.0.0.1:{self._place.ports['twins']}"


class Worker(Part):
    """A process that listens nowhere: it is well when it has outlived its start."""

    SETTLED_S: ClassVar[float] = 1.0

    def __init__(self) -> None:
        self._began = monotonic()

    async def prepare(self) -> None:
        self._began = monotonic()

    def command(self, env: Mapping[str, str]) -> Command:
        return python("-m", self.name, env=env)

    async def healthy(self) -> bool:
        return monotonic() - self._began >= self.SETTLED_S


class Projections(Worker):
    name = "projections"
    needs = ("migrate",)


class Consumers(Worker):
    name = "consumers"
    needs = ("migrate", "kafka", "s3", "anvil", "twins")


async def answers(url: str) -> bool:
    """Whether a GET of `url` succeeds now."""
    try:
        async with httpx.AsyncClient(timeout=2) as client:
            return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
