"""One child process: started with a log, known by pid and start time, ended without mercy for none.

Linux gives a pid to somebody else after its owner is gone. A process is therefore identified by
its pid, the boot it lives in and the tick at which it started; nothing is ever signalled before
all three were compared on a pidfd, which cannot move to another process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic

from embedded.place import CHECKOUT, read_json, write_atomically

KILL_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Command:
    """What to run. `privileges` are arguments of setpriv(1), which starts every child."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = CHECKOUT
    privileges: tuple[str, ...] = ()


def python(*arguments: str, env: Mapping[str, str]) -> Command:
    """Run one of our own modules with this interpreter."""
    return Command((sys.executable, *arguments), env)


@dataclass(frozen=True)
class Identity:
    """A process that was started by us: `start` in clock ticks since `boot`."""

    name: str
    pid: int
    start: int
    boot: str
    stop_signal: str

    def alive(self) -> bool:
        return self.boot == boot_id() and start_tick(self.pid) == self.start


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the name, [] when the process is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [] if fields[0] in "ZX" else fields


def start_tick(pid: int) -> int | None:
    """When the process began, in clock ticks since boot; None when it is gone or a zombie."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def session_members(session: int) -> list[int]:
    """Living processes of a session; every child of ours leads one, its own children stay in it."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if (fields := _stat(pid)) and int(fields[3]) == session]


def _signal(pid: int, number: signal.Signals, expected: Callable[[], bool]) -> None:
    """Signal `pid` if `expected()` still holds once the process is pinned by a pidfd."""
    try:
        pinned = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if expected():
            signal.pidfd_send_signal(pinned, number)
    except ProcessLookupError:
        return
    finally:
        os.close(pinned)


async def until(condition: Callable[[], bool], patience_s: float) -> bool:
    """Watch `condition` for at most `patience_s`; its last answer."""
    deadline = monotonic() + patience_s
    while not (met := condition()) and monotonic() < deadline:  # noqa: ASYNC110 (/proc has no events)
        await asyncio.sleep(0.02)
    return met


async def end(identity: Identity, patience_s: float) -> None:
    """Ask the process to stop; what is left of its session after `patience_s` is killed."""
    for number in (signal.Signals[identity.stop_signal], signal.SIGCONT):
        _signal(identity.pid, number, identity.alive)
    await until(lambda: not identity.alive(), patience_s)
    for pid in session_members(identity.pid):
        _signal(pid, signal.SIGKILL, lambda pid=pid: _in_session(pid, identity))  # type: ignore[misc]
    await until(lambda: not session_members(identity.pid), KILL_PATIENCE_S)


def _in_session(pid: int, identity: Identity) -> bool:
    """A session's number is not given away while a member lives, so a later start means ours."""
    fields = _stat(pid)
    return bool(fields) and int(fields[3]) == identity.pid and int(fields[19]) >= identity.start


class Process:
    """A running child and the file that lets the next supervisor find it."""

    def __init__(self, child: asyncio.subprocess.Process, identity: Identity, file: Path) -> None:
        self._child = child
        self._file = file
        self.identity = identity

    @classmethod
    async def spawn(
        cls, name: str, command: Command, log: Path, pids: Path, stop_signal: signal.Signals
    ) -> Process:
        """Start a session leader that gets `stop_signal` when the thread calling this ends."""
        guard = ("setpriv", "--pdeathsig", stop_signal.name, *command.privileges, "--")
        with log.open("ab") as output:
            child = await asyncio.create_subprocess_exec(
                *guard,
                *command.argv,
                env={**os.environ, **command.env},
                cwd=command.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        start = start_tick(child.pid) or 0
        identity = Identity(name, child.pid, start, boot_id(), stop_signal.name)
        file = pids / f"{name}.json"
        write_atomically(file, json.dumps(asdict(identity)))
        return cls(child, identity, file)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.returncode is None

    async def wait(self) -> int:
        """The exit status, negative when a signal ended it."""
        status = await self._child.wait()
        self._file.unlink(missing_ok=True)
        return status

    async def stop(self, patience_s: float) -> None:
        if self.running:
            await end(self.identity, patience_s)
        await self.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        with suppress(ProcessLookupError):
            self._child.kill()


async def end_orphans(pids: Path, patience_s: float = 10.0) -> list[str]:
    """End what a killed supervisor left behind; the names of the processes that were found."""
    recorded = {file: Identity(**read_json(file)) for file in _pid_files(pids)}
    found = [identity for identity in recorded.values() if _left_behind(identity)]
    await asyncio.gather(*(end(identity, patience_s) for identity in found))
    for file in recorded:
        file.unlink()
    return [identity.name for identity in found]


def _pid_files(pids: Path) -> list[Path]:
    return sorted(pids.glob("*.json"))


def _left_behind(identity: Identity) -> bool:
    if identity.boot != boot_id():
        return False
    leader = start_tick(identity.pid)
    if leader is not None:
        return leader == identity.start
    return any(_in_session(pid, identity) for pid in session_members(identity.pid))
