"""Loss harness: does a tailing reader see every committed event once, while writers are killed?

`python -m bench.loss --events N --seconds S` ends at N events or after S seconds.
Processes of eight writers append as fast as they can; one after the other gets kill -9 in the
middle of it and is started again; readers follow the ledger from its start. Afterwards what the
readers saw, and what the writers were promised, is held against what is in the ledger.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from bench.measure import Measurement, alone
from ledger.chain import verify
from tests.waiting import eventually
from tests.world import Database, open_world

BETWEEN_KILLS_SECONDS = (0.5, 2.0)
READERS = 2
ROW_SECONDS = 300.0
UNFINISHED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND state = 'active' AND query LIKE '%mega_append%' AND pid <> pg_backend_pid()"
)
COMMITTED = (
    "SELECT originator_id || '/' || originator_version FROM mega_generations ORDER BY mg_position"
)
HEAD = "SELECT coalesce(max(mg_position), 0) FROM mega_generations"


@dataclass(frozen=True)
class Result:
    """`missed`, `duplicated` and `phantom` sum up over the readers; `broken_promises` are appends
    that a writer was told are recorded and that are not."""

    missed: int
    duplicated: int
    phantom: int
    broken_promises: int
    events: int
    acknowledged: int
    kills: int
    seconds: float
    chain_holds: bool

    @property
    def sound(self) -> bool:
        wrong = self.missed + self.duplicated + self.phantom + self.broken_promises
        return wrong == 0 and self.chain_holds


class Hands:
    """The child processes, and the folder where they note what they saw."""

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        self._url, self.folder, self._seed = url, folder, seed
        self._made = 0

    def start(self, role: str) -> subprocess.Popen[bytes]:
        self._made += 1
        file = self.folder / f"{role}-{self._made}"
        words = (role, self._url, str(file), f"{self._seed}/{self._made}")
        return subprocess.Popen((sys.executable, "-m", "bench.loss_hands", *words))

    def notes(self, role: str) -> list[Path]:
        return sorted(self.folder.glob(f"{role}-*"))


def harness(url: str, *, events: int, seconds: float, processes: int = 3, seed: int = 0) -> Result:
    """Runs on a migrated database that nothing else writes to."""
    chance, started = random.Random(seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mega-loss-") as folder, ExitStack() as ends:
        hands = Hands(url, Path(folder), seed)
        readers = [hands.start("read") for _ in range(READERS)]
        writers = [hands.start("write") for _ in range(processes)]
        ends.callback(_kill_all, readers, writers)
        kills = 0
        with psycopg.connect(url, autocommit=True) as connection:
            while time.monotonic() - started < seconds and _number(connection, HEAD) < events:
                time.sleep(chance.uniform(*BETWEEN_KILLS_SECONDS))
                unlucky = chance.randrange(processes)
                _still_running(writers[unlucky])
                _kill(writers[unlucky])
                writers[unlucky] = hands.start("write")
                kills += 1
            for child in writers:
                _stop(child)
            eventually(lambda: _number(connection, UNFINISHED) == 0)
        for child in readers:
            _stop(child)
        return judged(url, hands, kills=kills, seconds=time.monotonic() - started)


def rows(database: Database, events: int) -> Iterator[Measurement]:
    """What the readers missed, over as many events, or as many as `ROW_SECONDS` allow."""
    result = harness(database.url, events=events, seconds=ROW_SECONDS)
    wrong = result.missed + result.duplicated + result.phantom + result.broken_promises
    name = f"events lost or doubled of {result.events:,}, {result.kills} kill -9 of writers"
    yield alone(name, wrong, unit="events", target=0, at_most=True, runs=READERS)


def judged(url: str, hands: Hands, *, kills: int, seconds: float) -> Result:
    with psycopg.connect(url) as connection:
        committed = [id_ for (id_,) in connection.execute(COMMITTED)]
    missed = duplicated = phantom = 0
    for file in hands.notes("read"):
        seen = bytearray(len(committed))
        for position, id_ in _lines(file):
            if position > len(committed) or committed[position - 1] != id_:
                phantom += 1
            elif seen[position - 1]:
                duplicated += 1
            else:
                seen[position - 1] = 1
        missed += seen.count(0)
    promised = [line for file in hands.notes("write") for line in _lines(file)]
    broken = sum(
        position > len(committed) or committed[position - 1] != id_ for position, id_ in promised
    )
    return Result(
        missed=missed,
        duplicated=duplicated,
        phantom=phantom,
        broken_promises=broken,
        events=len(committed),
        acknowledged=len(promised),
        kills=kills,
        seconds=round(seconds, 1),
        chain_holds=verify(url).ok,
    )


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """What was noted; a line that kill -9 cut short was never finished and does not count."""
    with file.open() as lines:
        for line in lines:
            if line.endswith("\n"):
                position, id_ = line.split()
                yield int(position), id_


def _kill_all(*groups: list[subprocess.Popen[bytes]]) -> None:
    for child in chain.from_iterable(groups):
        _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()


def _stop(child: subprocess.Popen[bytes]) -> None:
    _still_running(child)
    child.terminate()
    if child.wait() not in (0, -signal.SIGTERM):
        raise RuntimeError(f"{child.args!r} ended with {child.returncode}")


def _still_running(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        raise RuntimeError(f"{child.args!r} ended by itself with {child.returncode}")


def _number(connection: psycopg.Connection, statement: str) -> int:
    return int(connection.execute(statement.encode()).fetchall()[0][0])


def main(
    events: Annotated[int, typer.Option(help="end when the ledger has so many")] = 1_000_000,
    seconds: Annotated[float, typer.Option(help="end after so long")] = 900.0,
    processes: Annotated[int, typer.Option(help="of eight writers each")] = 3,
    seed: Annotated[int, typer.Option(help="of the moments and victims")] = 0,
    url: Annotated[str, typer.Option(help="a migrated database; default: a new one")] = "",
) -> None:
    """Prints one JSON object; ends with 1 when an event was missed, doubled, made up or lost."""
    with ExitStack() as stack:
        if not url:
            world = stack.enter_context(open_world(durable=True))
            url = stack.enter_context(world.database()).url
        result = harness(url, events=events, seconds=seconds, processes=processes, seed=seed)
    print(json.dumps(asdict(result)))
    raise typer.Exit(0 if result.sound else 1)


if __name__ == "__main__":
    typer.run(main)
