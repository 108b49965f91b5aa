"""`mega` as somebody at a terminal uses it: words in; status, stdout and stderr out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from cli.__main__ import app


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Mega:
    """`env` are the settings of every command; it must name the world's folder."""

    env: Mapping[str, str]

    def __call__(self, *words: str, **more: str) -> Said:
        done = CliRunner().invoke(app, words, env={**self.env, **more}, catch_exceptions=True)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)
