"""What a process says about its own crash is one line of JSON without a secret."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.world import CHECKOUT

CRASH = """
import logs, structlog
logs.configure()
def crash(key):
    raise RuntimeError("unforeseen")
try:
    crash("Bearer sk-" + "hunter" + "2")
except RuntimeError:
    structlog.get_logger().exception("promise_crashed", todo="deliver:x")
"""


def test_a_crash_is_logged_without_the_values_it_happened_to() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    (line,) = done.stdout.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["todo"]) == ("promise_crashed", "error", "deliver:x")
    assert "RuntimeError: unforeseen" in said["exception"]
    assert "hunter2" not in done.stdout + done.stderr
