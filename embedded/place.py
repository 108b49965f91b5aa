"""Where a world lives on disk: one folder holding data, logs, pid files, ports and secrets."""

from __future__ import annotations

import fcntl
import json
import os
import random
import secrets
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

CHECKOUT = Path(__file__).resolve().parent.parent

# Below the range from which the kernel serves outgoing connections, so that nobody is handed our
# port while the part that listens on it is being restarted.
PORTS = range(20_000, 32_000)


class WorldError(Exception):
    """The world cannot start or go on; the message is one sentence for whoever started it."""


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """A reader sees the old file or the new one, never half of either."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    draft.rename(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in `path`, or an empty one when there is no such file."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found


@dataclass(frozen=True)
class Place:
    """A world's folder. `data` is made on first use; `tools` holds downloaded programs."""

    data: Path
    logs: Path
    tools: Path = CHECKOUT / ".tools"

    @classmethod
    def at(cls, data: Path, logs: Path | None = None) -> Place:
        data = data.resolve()
        place = cls(data=data, logs=(logs or data / "logs").resolve())
        for folder in (place.data, place.logs, place.pids):
            folder.mkdir(parents=True, exist_ok=True)
        return place

    @property
    def pids(self) -> Path:
        return self.data / "pids"

    @property
    def world_file(self) -> Path:
        return self.data / "world.json"

    @property
    def contracts_file(self) -> Path:
        return self.data / "contracts.json"

    @property
    def wallets_file(self) -> Path:
        return self.data / "wallets.json"

    def folder(self, name: str) -> Path:
        path = self.data / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    @cached_property
    def ports(self) -> Ports:
        return Ports(self.data / "ports.json")

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(self.data / "secrets.json")

    def claim(self) -> IO[str]:
        """Hold this folder for one supervisor; the kernel lets go when its process ends."""
        file = open(self.data / "lock", "w")  # noqa: SIM115 (stays open as long as the world runs)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise WorldError(f"Another world is already running in {self.data}.") from None
        return file


class Ports:
    """Ports chosen once for a folder and kept while they are free, so that URLs stay true."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._chosen: dict[str, int] = read_json(path)
        self._checked: set[str] = set()

    def reserve(self, *names: str) -> None:
        """Decide the ports of all `names` together; a kept one that is taken is replaced."""
        with ExitStack() as held:
            for name in names:
                port = self._chosen.get(name)
                while port is None or not _hold(port, held):
                    port = random.choice(PORTS)
                self._chosen[name] = port
        self._checked.update(names)
        write_atomically(self._path, json.dumps(self._chosen, indent=1))

    def __getitem__(self, name: str) -> int:
        if name not in self._checked:
            self.reserve(name)
        return self._chosen[name]


def _hold(port: int, held: ExitStack) -> bool:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()  # one that only is bound could be bound a second time
    except OSError:
        listener.close()
        return False
    held.enter_context(listener)
    return True


class Secrets:
    """Development secrets, made once for a folder and readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = read_json(path)

    def get(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
        if name not in self._known:
            self._known[name] = make()
            write_atomically(self._path, json.dumps(self._known, indent=1), mode=0o600)
        return self._known[name]


def ed25519_pem() -> str:
    """A new Ed25519 private key, PKCS#8 in PEM."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
