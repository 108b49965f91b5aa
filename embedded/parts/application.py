"""Our own processes: each is `python -m NAME` with the settings of the world in its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import httpx

from embedded.parts.part import Part
from embedded.place import Place
from embedded.process import Command, python
from embedded.solana import genesis

# Less than two seconds until a transaction is final, where the real network takes thirteen.
SOLANA_FINALITY_SLOTS = 4


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


@dataclass(frozen=True, slots=True)
class Vendor:
    """The settings that lead to a vendor: its addresses, `paths` below its base URL, and the key
    that its twin lets us choose, if it wants one. `others` are settings that lead to further
    paths."""

    url_setting: str
    key_setting: str | None = None
    paths: tuple[str, ...] = ("",)
    others: tuple[tuple[str, str], ...] = ()


class Twins(Part):
    """The providers' twins: one process, a port for each, standing where the vendor would."""

    name = "twins"

    # In the order of ports. OnchainFi's twin asks x402_facilitator's, this one the chain, both only
    # when they are asked themselves, so that no part has to be there first.
    VENDORS: ClassVar[dict[str, Vendor]] = {
        "seedream": Vendor("SEEDREAM_URL", "SEEDREAM_KEY"),
        "openai": Vendor("OPENAI_URL", "OPENAI_KEY"),
        "x402_facilitator": Vendor("MEGA_X402_FACILITATOR_URL"),
        "onchainfi": Vendor("MEGA_ONCHAINFI_URL", "MEGA_ONCHAINFI_KEY"),
        "farcaster": Vendor("MEGA_FARCASTER_JWKS_URL", paths=("/.well-known/jwks.json",)),
        "irys": Vendor("IRYS_URL"),
        "ipfs": Vendor("IPFS_URLS", paths=("", "/backup"), others=(("IPFS_GATEWAY_URL", "/ipfs"),)),
        "solana": Vendor("SOLANA_RPC_URLS"),
    }

    def __init__(self, place: Place, wanted: tuple[str, ...] = tuple(VENDORS)) -> None:
        """`wanted` are the twins whose vendor is not replaced by a real one."""
        self._place = place
        self._wanted = wanted

    def ports(self) -> tuple[str, ...]:
        return tuple(f"twin_{name}" for name in self._wanted)

    def urls(self) -> dict[str, str]:
        """Base URL of every twin, by name."""
        ports = self._place.ports
        return {name: f"http://127.0.0.1:{ports[f'twin_{name}']}" for name in self._wanted}

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
        given = {}
        for name, url in self.urls().items():
            vendor = self.VENDORS[name]
            given[vendor.url_setting] = ",".join(url + path for path in vendor.paths)
            given |= {setting: url + path for setting, path in vendor.others}
            if vendor.key_setting:
                given[vendor.key_setting] = self._place.secrets.get(f"{name}_key")
        if "solana" in self._wanted:
            given["SOLANA_AUTHORITY_KEY"] = genesis.authority().private_key
            given["SOLANA_TREASURY"] = genesis.treasury().address
        return given

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
