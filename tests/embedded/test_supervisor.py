"""`mega run` keeps its processes alive, ends them all, and finds what a killed run left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.place import read_json
from embedded.process import Identity, boot_id, end_orphans, session_members, start_tick
from tests.waiting import eventually
from tests.world import Child

Start = Callable[..., Child]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(spawn: Start, folder: Path) -> Start:
    """`run()` starts a world of anvil alone; `run(only=...)` of other parts."""

    def start(only: str = "anvil") -> Child:
        env = {"MEGA_DATA_DIR": str(folder)}
        return spawn("cli", "run", "--only", only, env=env)

    return start


def processes(folder: Path) -> dict[str, dict[str, Any]]:
    """The processes of world.json by name, as they were when it was last written."""
    listed = read_json(folder / "world.json").get("processes", [])
    return {each["name"]: each for each in listed}


def pid_of(folder: Path, name: str = "anvil") -> int:
    """The pid of a part that is running and was not known before."""
    return eventually(lambda: int(processes(folder).get(name, {}).get("pid") or 0))


def ready(child: Child) -> str:
    """Wait for the end of the way up; what was printed."""
    eventually(lambda: "Ready after" in child.log.read_text())
    return child.log.read_text()


def alive(pid: int) -> bool:
    return pid in session_members(pid)


def test_sigterm_ends_every_process_and_the_run_says_so(run: Start, folder: Path) -> None:
    child = run("anvil,s3")
    ready(child)
    pids = [pid_of(folder, name) for name in ("anvil", "s3")]
    assert child.stop() == 0
    assert not any(alive(pid) for pid in pids)
    assert list((folder / "pids").iterdir()) == []
    assert child.log.read_text().rstrip().endswith("Stopped.")


def test_a_killed_part_is_started_again_and_counted(run: Start, folder: Path) -> None:
    ready(run())
    first = pid_of(folder)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: processes(folder)["anvil"]["pid"] not in (None, first))
    assert processes(folder)["anvil"]["restarts"] == 1
    rpc = read_json(folder / "world.json")["evm"]["rpc"]
    assert httpx.post(rpc, json=question("eth_chainId")).json()["result"] == "0x2105"


def test_parts_die_with_a_killed_supervisor(run: Start, folder: Path) -> None:
    child = run()
    ready(child)
    pid = pid_of(folder)
    child.kill()
    eventually(lambda: not alive(pid))


def test_the_next_start_ends_a_part_that_outlived_a_killed_supervisor(
    run: Start, folder: Path
) -> None:
    child = run()
    ready(child)
    pid = pid_of(folder)
    os.kill(pid, signal.SIGSTOP)  # it cannot hear that its parent died
    child.kill()
    assert alive(pid)
    second = run()
    assert "left behind: anvil" in ready(second)
    assert not alive(pid)
    assert pid_of(folder) != pid


def test_a_second_run_continues_with_the_same_chain_on_the_same_port(
    run: Start, folder: Path
) -> None:
    first = run()
    ready(first)
    world = read_json(folder / "world.json")
    before = block_number(world)
    assert first.stop() == 0
    ready(run())
    after = eventually(lambda: read_json(folder / "world.json"))
    assert after["evm"] == world["evm"]
    assert block_number(after) >= before > 0


def test_one_folder_has_one_world(run: Start) -> None:
    ready(run())
    second = run()
    assert eventually(lambda: second.poll() is not None)
    assert second.poll() == 1
    assert "Another world is already running" in second.log.read_text()


def test_a_wrong_setting_is_named_in_one_sentence(spawn: Start) -> None:
    child = spawn("cli", "run", env={"MEGA_PORT": "eight thousand"})
    assert eventually(lambda: child.poll() is not None)
    told = child.log.read_text().strip().splitlines()
    assert told == [
        "The setting MEGA_PORT is malformed: input should be a valid integer,"
        " unable to parse string as an integer."
    ]


def test_a_part_that_never_gets_well_ends_the_run_and_names_its_log(
    spawn: Start, folder: Path
) -> None:
    folder.mkdir()
    (folder / "anvil").mkdir()
    (folder / "anvil" / "cache").write_text("a file where a folder should be")
    (folder / "anvil" / "state.json").mkdir()
    child = spawn("cli", "run", "--only", "anvil", env={"MEGA_DATA_DIR": str(folder)})
    assert eventually(lambda: child.poll() is not None)
    assert child.poll() == 1


def test_a_stranger_with_a_remembered_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    ours = subprocess.Popen(["sleep", "60"], start_new_session=True)
    remember(tmp_path, "ours", ours.pid, started=start_tick(ours.pid) or 0)
    remember(tmp_path, "earlier", stranger.pid, started=(start_tick(stranger.pid) or 0) - 1)
    remember(tmp_path, "before_boot", stranger.pid, start_tick(stranger.pid) or 0, boot="another")
    try:
        assert asyncio.run(end_orphans(tmp_path)) == ["ours"]
        assert ours.wait() == -signal.SIGTERM
        assert stranger.poll() is None
        assert list(tmp_path.glob("*.json")) == []
    finally:
        stranger.kill()
        stranger.wait()


def remember(folder: Path, name: str, pid: int, started: int, boot: str | None = None) -> None:
    identity = Identity(name, pid, started, boot or boot_id(), "SIGTERM")
    (folder / f"{name}.json").write_text(json.dumps(asdict(identity)))


def question(method: str) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": []}


def block_number(world: dict[str, Any]) -> int:
    answer = httpx.post(world["evm"]["rpc"], json=question("eth_blockNumber")).json()
    return int(answer["result"], 16)
