"""What nobody but the payer may ever read: headers, signatures and prompts, in every form in which
a careless line could repeat them, and every place where such a line could end up.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from tests.consumers.topic_reading import read_topics

if TYPE_CHECKING:
    from tests.e2e.stage import Stage

TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""
A_PART = 36
"""Characters: so much of a secret is a leak."""


class Canary:
    """Knows the secrets of a stage's stories and the error bodies that they were answered."""

    def __init__(self) -> None:
        self._hex: set[str] = set()
        self._other: set[str] = set()
        self._errors: list[str] = []

    def header(self, header: str) -> None:
        """A payment header: whoever has the signature in it can move the money."""
        self.signature(json.loads(base64.b64decode(header))["payload"]["signature"])

    def signature(self, signature: str) -> None:
        """65 bytes in hex: as such, in base64, and the hex in base64, wherever it begins there."""
        text = signature.removeprefix("0x").lower()
        raw = bytes.fromhex(text)
        for begin in (0, 64):  # r and s
            self._hex.add(text[begin : begin + A_PART])
        for data in (raw, text.encode(), text.encode()[64:]):
            self._other |= {_base64(data[shift:]) for shift in range(3)}

    def prompt(self, prompt: str) -> None:
        """Its end, too, is more than anybody may read."""
        self._other |= {prompt, prompt[-14:]}

    def error(self, body: str) -> None:
        self._errors.append(body)

    def leaks(self, stage: Stage) -> list[str]:
        """Where a secret can be read, each place once."""
        return [where for where, text in self._places(stage) if self.hears(text)]

    def hears(self, text: str) -> bool:
        """Whether a part of a secret is in a text."""
        lower = text.lower()
        if any(word in lower for word in self._hex):
            return True
        return any(word in text for word in self._other)

    def _places(self, stage: Stage) -> Iterator[tuple[str, str]]:
        yield "error bodies", "\n".join(self._errors)
        for log in stage.logs():
            yield f"log {log.name}", log.read_text()
        kafka = stage.world.gives("kafka")["KAFKA_BOOTSTRAP_SERVERS"]
        told = read_topics(kafka, stage.prefix)
        for topic in {message.topic for message in told}:
            mine = [message for message in told if message.topic == topic]
            yield f"topic {topic}", "\n".join(f"{m.key} {m.headers} {m.raw!r}" for m in mine)
        with psycopg.connect(stage.database.superuser_url, autocommit=True) as session:
            for schema, table in session.execute(TABLES.encode()).fetchall():
                all_ = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
                rows = session.execute(all_).fetchall()
                yield f"table {schema}.{table}", "\n".join(row for (row,) in rows)


def _base64(data: bytes) -> str:
    return base64.b64encode(data[: A_PART // 4 * 3]).decode()
