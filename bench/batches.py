"""Rows of the table about PFPs: four wallets have ten of them minted at once.

The application runs as three processes (api, projections, consumers) against a devnet at its real
pace of 400 ms a slot, once with the real network's finality and once with the short one of
`make run`; the vault is the Irys twin. What happened when is read from the ledger.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median

import psycopg

from bench.http import there
from bench.measure import Measurement, alone
from cli.collector import Collector, wallet_of
from embedded.solana import genesis
from embedded.solana.slots import FINALIZED_AFTER, SLOT_MS
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld, start_child

BATCHES, UNITS, IDLE_S, PATIENCE_S = 4, 10, 5.0, 300.0
FINALITIES = (FINALIZED_AFTER, 4)
CPU_MS_MAX = 400.0
OURS = ("api", "projections", "consumers")
TWINS = ("solana", "irys")
HERE = "127.0.0.1"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

MOMENTS = """
SELECT topic, (event->'data'->>'index')::int, mg_recorded_at
FROM mega_generations
WHERE originator_id = 'batch:' || %s
ORDER BY mg_position
"""


@dataclass(frozen=True)
class Served:
    """`ours` are the processes whose CPU counts."""

    world: Mapping[str, object]
    ours: list[Child]
    database: Database

    def cpu_s(self) -> float:
        return sum(cpu_s(child.pid) for child in self.ours)


@dataclass
class Told:
    """When a batch was paid, and each of its units asked for, signed and minted."""

    paid: datetime | None = None
    asked: dict[int, datetime] = field(default_factory=dict)
    signed: dict[int, datetime] = field(default_factory=dict)
    minted: dict[int, datetime] = field(default_factory=dict)

    @property
    def lasted_s(self) -> float:
        assert self.paid is not None
        return (max(self.minted.values()) - self.paid).total_seconds()

    @property
    def confirming_s(self) -> float:
        """For how long the chain was confirming a unit of it, however many at once."""
        spans = sorted((self.signed[unit], self.minted[unit]) for unit in self.minted)
        total, end = 0.0, spans[0][0]
        for since, until in spans:
            total += max(0.0, (until - max(since, end)).total_seconds())
            end = max(end, until)
        return total

    def between(self, since: str, until: str) -> list[float]:
        """Seconds from one moment of each unit to another."""
        first, last = getattr(self, since), getattr(self, until)
        return [(last[unit] - first[unit]).total_seconds() for unit in last]


def rows(world: TestWorld) -> Iterator[Measurement]:
    for finality in FINALITIES:
        with ExitStack() as stack:
            database = stack.enter_context(world.database())
            served = stack.enter_context(serving(world, database, finality))
            yield from minted(served, finality)


def minted(served: Served, finality: int) -> Iterator[Measurement]:
    """The first batch has the tree grown, and is not measured. CPU is counted from when the first
    of the others is paid until the last is complete."""
    database = served.database
    until("bool_and(status = 'complete')", [paid_for(served, BATCHES, 1)], database)
    before = served.cpu_s()
    time.sleep(IDLE_S)
    idle = (served.cpu_s() - before) / IDLE_S
    batches = [paid_for(served, each, UNITS) for each in range(BATCHES)]
    until("bool_or(status <> 'confirming')", batches, database)
    before, since = served.cpu_s(), time.monotonic()
    until("bool_and(status = 'complete')", batches, database)
    spent, lasted = served.cpu_s() - before, time.monotonic() - since
    yield from figures(told_of(batches, database), spent, idle * lasted, finality)


def figures(told: list[Told], spent_s: float, idle_s: float, slots: int) -> Iterator[Measurement]:
    """`idle_s`: the CPU that the same processes take in that time when there is nothing to do."""
    mints = BATCHES * UNITS
    what = f"{BATCHES} batches of {UNITS} at once, final after {slots} slots"
    finality_s = slots * SLOT_MS / 1000
    row = partial(alone, at_most=True, runs=mints)
    against = partial(against_chain, finality_s, slots, mints)
    waits = [wait for batch in told for wait in batch.between("signed", "minted")]
    made = [wait for batch in told for wait in batch.between("asked", "signed")]
    alone_s = [batch.lasted_s - batch.confirming_s for batch in told]
    idling, cpu_ms = idle_s / mints * 1000, spent_s / mints * 1000
    yield row(f"{what}: CPU of ours a mint", cpu_ms, unit="ms", target=CPU_MS_MAX)
    yield row(f"{what}: the same but for idling", cpu_ms - idling, unit="ms", target=CPU_MS_MAX)
    yield against(f"{what}: paid to complete", max(batch.lasted_s for batch in told), 4.0)
    yield row(f"{what}: without the chain confirming", max(alone_s), unit="s", target=1.0)
    yield against(f"{what}: signed to minted, median", median(waits), 1.25)
    yield row(f"{what}: drawn, stored and signed, median", median(made), unit="s", target=1.0)


def against_chain(
    finality_s: float, slots: int, runs: int, name: str, seconds: float, most: float
) -> Measurement:
    """A time, and how many times as long as the chain alone takes for one transaction it is."""
    ratio = seconds / finality_s
    return Measurement(name, seconds, "s", f"{slots} slots", ratio, runs, most, at_most=True)


def paid_for(served: Served, number: int, units: int) -> str:
    """The batch of a wallet, prepared, signed and handed in, to be minted without a browser."""
    collector = Collector(dict(served.world), wallet_of(served.world, number))
    collector.sign_in()
    collector.allow(units)
    told = collector.ask("POST", "/pfp/prepare-batch", {"quantity": units})
    batch_id = str(told["batchId"])
    signed = collector.sign(told["transactionBase64"])
    body = {"batchId": batch_id, "signedTransactionBase64": signed, "autoMint": True}
    collector.ask("POST", "/pfp/confirm-batch", body)
    collector.http.close()
    return batch_id


def until(so: str, batches: list[str], database: Database) -> None:
    asked = f"SELECT {so} FROM views.batches WHERE batch_id = ANY (%s)"
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:

        def is_so() -> bool:
            row = connection.execute(asked.encode(), (batches,)).fetchone()
            return row is not None and bool(row[0])

        eventually(is_so, within_s=PATIENCE_S, every_s=0.1)


def told_of(batches: list[str], database: Database) -> list[Told]:
    """What the ledger tells of the batches."""
    told = [Told() for _ in batches]
    with psycopg.connect(database.superuser_url) as connection:
        for batch, batch_id in zip(told, batches, strict=True):
            for topic, unit, at in connection.execute(MOMENTS, (batch_id,)):
                match topic:
                    case "batch_paid.v1":
                        batch.paid = at
                    case "pfp_mint_requested.v1":
                        batch.asked.setdefault(unit, at)
                    case "pfp_mint_signed.v1":
                        batch.signed[unit] = at
                    case "pfp_minted.v1":
                        batch.minted[unit] = at
    return told


@contextmanager
def serving(world: TestWorld, database: Database, finality: int) -> Iterator[Served]:
    """A devnet, a vault and the application, each a process, gone at the end."""
    tag = f"batches_{finality}"
    names = {name: f"{tag}_{name}" for name in (*TWINS, "api")}
    world.place.ports.reserve(*names.values())
    ports = {name: world.place.ports[port] for name, port in names.items()}
    folder = world.place.folder(tag)
    twins = {
        "MEGA_TWIN_PORTS": json.dumps({name: ports[name] for name in TWINS}),
        "MEGA_TWIN_DIR": str(folder / "twins"),
        "MEGA_TWIN_SOLANA_FINALITY_SLOTS": str(finality),
    }
    environment = settings_of(world, database, ports, tag)
    children: list[Child] = []
    try:
        children.append(start_child(("embedded.twins",), twins, folder))
        eventually(partial(there, f"{url(ports['irys'])}/_twin/script", ""), within_s=60)
        ours = [start_child((name,), environment, folder) for name in OURS]
        children += ours
        eventually(partial(there, f"{url(ports['api'])}/healthz", ""), within_s=60)
        for name, child in zip(OURS[1:], ours[1:], strict=True):
            eventually(partial(ready, name, child.log), within_s=60)
        wallets = [{"kind": "solana", **asdict(wallet)} for wallet in genesis.dev_wallets()]
        place = {"wallets": wallets, "api": url(ports["api"]), "public_host": "localhost"}
        yield Served(place, ours, database)
    finally:
        for child in reversed(children):
            child.stop()


def settings_of(
    world: TestWorld, database: Database, ports: Mapping[str, int], tag: str
) -> dict[str, str]:
    nobody = url(9)
    return {
        **world.environment(),
        **world.gives("kafka"),
        **world.gives("s3"),
        **world.gives("anvil"),
        "DATABASE_URL": database.url,
        "MEGA_TOPIC_PREFIX": f"{tag}.",
        "MEGA_PORT": str(ports["api"]),
        "MEGA_X402_FACILITATOR_URL": nobody,
        "SEEDREAM_URL": nobody,
        "SEEDREAM_KEY": "nobody",
        "OPENAI_URL": nobody,
        "OPENAI_KEY": "nobody",
        "SOLANA_RPC_URLS": url(ports["solana"]),
        "SOLANA_AUTHORITY_KEY": genesis.authority().private_key,
        "SOLANA_TREASURY": genesis.treasury().address,
        "IRYS_URL": url(ports["irys"]),
    }


def url(port: int) -> str:
    return f"http://{HERE}:{port}"


def ready(name: str, log: Path) -> bool:
    return f"{name}_ready" in log.read_text()


def cpu_s(pid: int) -> float:
    """Seconds of CPU, in user space and in the kernel, that a process had so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND
