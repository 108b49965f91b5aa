"""Our own processes: each is `python -m NAME` with the settings of the world in its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import httpx

from embedded.parts.part import Part
from embedded.parts.vendors import VENDORS, Vendor
from embedded.place import Place
from embedded.process import Command, python
from embedded.solana import genesis

# Less than two seconds until a transaction is final, where the real network takes thirteen.
SOLANA_FINALITY_SLOTS = 4


HOST = "127.0.0.1"


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
        return f"http://{HOST}:{self._port}"


class Twins(Part):
    """The providers' twins: one process, a port for each, standing where the vendor would."""

    name = "twins"

    def __init__(self, place: Place, wanted: tuple[str, ...] = tuple(VENDORS)) -> None:
        """`wanted` are the twins whose vendor is not replaced by a real one."""
        self._place = place
        self._wanted = wanted

    def ports(self) -> tuple[str, ...]:
        return tuple(f"twin_{name}" for name in self._wanted)

    def urls(self) -> dict[str, str]:
        """Base URL of every twin, by name."""
        ports = self._place.ports
        return {name: f"http://{HOST}:{ports[f'twin_{name}']}" for name in self._wanted}

    def command(self, env: Mapping[str, str]) -> Command:
        ports = {name: self._place.ports[f"twin_{name}"] for name in self._wanted}
        folder = str(self._place.folder("twins"))
        own = {
            "MEGA_TWIN_PORTS": json.dumps(ports),
            "MEGA_TWIN_DIR": folder,
            "MEGA_TWIN_SOLANA_FINALITY_SLOTS": str(SOLANA_FINALITY_SLOTS),
        }
        return python("-m", "embedded.twins", env={**env, **own})

    async def healthy(self) -> bool:
        controls = (f"{url}/_twin/script" for url in self.urls().values())
        return all([await answers(control) for control in controls])

    def gives(self) -> dict[str, str]:
        given: dict[str, str] = {}
        for name, url in self.urls().items():
            if VENDORS[name].url_setting:
                given |= self._leading_to(url, VENDORS[name])
        if "web" in self._wanted:  # with its port: what else listens here is fetched by nobody
            given["MEGA_FETCH_ALLOW"] = self.urls()["web"].removeprefix("http://")
        if any(VENDORS[name].makes_media for name in self._wanted):
            given["MEGA_PROVIDER_HOSTS"] = HOST
        if "solana" in self._wanted:
            given["SOLANA_AUTHORITY_KEY"] = genesis.authority().private_key
            given["SOLANA_TREASURY"] = genesis.treasury().address
        return given

    def _leading_to(self, url: str, vendor: Vendor) -> dict[str, str]:
        keep = self._place.secrets.get
        given = {vendor.url_setting: ",".join(url + path for path in vendor.paths)}
        given |= {setting: url + path for setting, path in vendor.others.items()}
        given |= {setting: keep(setting.lower(), make) for setting, make in vendor.keys.items()}
        return given | dict(vendor.names)

    def wallets(self) -> list[dict[str, str]]:
        """Those that the chains of this part have funded, as `GET /dev/world` tells them."""
        if "solana" not in self._wanted:
            return []
        return [{"kind": "solana", **asdict(wallet)} for wallet in genesis.dev_wallets()]


class Worker(Part):
    """A process that listens nowhere: it is well when it has logged `NAME_ready`."""

    def __init__(self, place: Place) -> None:
        self._log = place.log(self.name)
        self._read_from = 0

    async def prepare(self) -> None:
        self._read_from = size_of(self._log)

    def command(self, env: Mapping[str, str]) -> Command:
        return python("-m", self.name, env=env)

    async def healthy(self) -> bool:
        with self._log.open("rb") as log:
            log.seek(self._read_from)
            return f"{self.name}_ready".encode() in log.read()


class Projections(Worker):
    name = "projections"
    needs = ("migrate",)


class Consumers(Worker):
    name = "consumers"
    needs = ("migrate", "kafka", "s3", "anvil", "twins", "projections")


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


async def answers(url: str) -> bool:
    """Whether a GET of `url` succeeds now. Always plain HTTP, so no certificates are read."""
    try:
        async with httpx.AsyncClient(timeout=2, verify=False) as client:
            return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
