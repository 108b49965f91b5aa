"""A vendor nobody has heard of makes a still, by two config rows set while everything runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from domain.provider_registry import DEFAULT_REGISTRY
from domain.studio_config import DEFAULT_PROVIDERS
from embedded.twins.paint import paint
from tests.e2e.creator import Creator
from tests.e2e.stage import Stage

REGISTRY, CHOICE = "mma.provider.registry", "mma.providers"
DEFAULTS = {"model": "brush-9", "finish": "matt"}


class Atelier(BaseHTTPRequestHandler):
    """`POST /paint {words, finish, kind}` → `{"canvas": base64}`."""

    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"path": self.path, **said})
        picture = paint(said["words"], seed=1, width=64, height=64)
        answer = json.dumps({"canvas": base64.b64encode(picture).decode()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def atelier() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(its base URL, what it was asked)"""
    asked: list[dict[str, Any]] = []
    handler = type("Asked", (Atelier,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def row(base_url: str) -> dict[str, Any]:
    return {
        "name": "atelier",
        "shape": "sync_json",
        "base_url": base_url,
        "path": "/paint",
        "auth": {"type": "none"},
        "request": {
            "body": {
                "words": {"$": "prompt"},
                "kind": {"$": "model"},
                "finish": {"$": "defaults.finish"},
            }
        },
        "response": {"base64": ["/canvas"]},
        "errors": {},
        "media": "still",
    }


def test_two_rows_are_a_new_provider(
    stage: Stage, atelier: tuple[str, list[dict[str, Any]]]
) -> None:
    base_url, asked = atelier
    creator, operator = Creator(stage), Creator(stage)
    operator.sign_in("user admin")

    def put(key: str, value: Any) -> None:
        operator.post("/admin/configs", {"key": key, "value": value})

    put("mma.provider.atelier.defaults", DEFAULTS)
    put(REGISTRY, [*DEFAULT_REGISTRY, row(base_url)])
    put(CHOICE, {**DEFAULT_PROVIDERS, "still": "atelier"})
    try:
        made = creator.still()
        shown = creator.until(made)
    finally:
        put(CHOICE, DEFAULT_PROVIDERS)
        put(REGISTRY, DEFAULT_REGISTRY)
    assert (shown["status"], shown["provider"], shown["model"]) == ("done", "atelier", "brush-9")
    creator.check_delivered(made)
    assert [(one["path"], one["kind"], one["finish"]) for one in asked] == [
        ("/paint", "brush-9", "matt")
    ]
    steps = [fact.data for fact in creator.facts(made) if fact.name == "step_recorded"]
    assert "atelier_generate" in [step["step_type"] for step in steps]
