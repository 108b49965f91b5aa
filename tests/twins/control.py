"""A twin's control plane from the outside, as any test may use it."""

from __future__ import annotations

from typing import Any

import httpx

# One client for all: making one reads the system's certificates, which takes longer than a call.
HTTP = httpx.Client(timeout=20)


class Control:
    """Scripts a twin and reads what it did. `url` is the twin's base URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, name: str, body: Any = None) -> httpx.Response:
        return HTTP.post(f"{self.url}/_twin/{name}", json=body)

    def get(self, name: str) -> list[dict[str, Any]]:
        return list(HTTP.get(f"{self.url}/_twin/{name}").raise_for_status().json()["items"])

    def script(self, **rule: Any) -> None:
        self.post("script", rule).raise_for_status()

    def answers(self, status: int, body: Any = None, **headers: str) -> None:
        """The next call gets this answer and has no effect."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script(response={"status": status, "headers": named, "body": body})

    def billed(self) -> list[dict[str, Any]]:
        return [item for item in self.get("ledger") if item["kind"] == "image_billed"]

    def reset(self) -> None:
        self.post("reset").raise_for_status()
