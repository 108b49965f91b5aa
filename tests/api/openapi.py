"""The routes as the published description tells them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    said: dict[str, Any]

    @property
    def open(self) -> bool:
        """Needs no sign-in."""
        return self.said.get("security") == []

    @property
    def example(self) -> Any:
        return self._content("requestBody", "application/json").get("example")

    @property
    def statuses(self) -> list[int]:
        """Those that the description shows an answer of; the example leads to one of them."""
        told = self.said["responses"].items()
        return [
            int(status)
            for status, said in told
            if any("example" in media for media in said.get("content", {}).values())
        ]

    def filled(self, values: dict[str, str]) -> str:
        """The path with its parameters given by name, else as their examples say."""
        shown = {p["name"]: p["schema"]["examples"][0] for p in self._parameters("path")}
        return re.sub(r"{(\w+)}", lambda m: values.get(m[1]) or shown[m[1]], self.path)

    def query(self) -> dict[str, Any]:
        return {p["name"]: p["example"] for p in self._parameters("query") if "example" in p}

    def schema(self, status: int) -> Any:
        media = next(iter(self.said["responses"][str(status)]["content"].values()))
        return media["example"]

    def _parameters(self, place: str) -> list[dict[str, Any]]:
        return [p for p in self.said.get("parameters", []) if p["in"] == place]

    def _content(self, part: str, media: str) -> Any:
        return self.said.get(part, {}).get("content", {}).get(media, {})


def operations(spec: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in spec["paths"].items():
        for method in METHODS:
            if method in methods:
                yield Operation(method.upper(), path, methods[method])
