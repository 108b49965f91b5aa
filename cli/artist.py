"""Somebody in the studio of the running world: signs in by email, uploads, asks, listens."""

from __future__ import annotations

import io
import re
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import orjson
from PIL import Image, ImageDraw

PATIENCE_S = 120.0
POLL_S = 0.1


class Artist:
    """Ends with a sentence when it is refused, unless it expected to be."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world = world
        self.http = httpx.Client(base_url=world["api"], timeout=60)
        self.email = f"artist-{secrets.token_hex(4)}@example.com"
        self.customer = 10**12 + secrets.randbelow(10**9)
        self.pass_id = ""
        self._position = 0

    # Signing in.

    def sign_in(self) -> str:
        """With the code that was mailed; returns the pass id."""
        self.ask("POST", "/auth/otp/request", {"email": self.email})
        proof = {"email": self.email, "code": self._code()}
        answer = self.ask("POST", "/auth/otp/verify", proof)
        self.http.headers["Authorization"] = f"Bearer {answer['access_token']}"
        self.pass_id = str(answer["pass_id"])
        return self.pass_id

    def _code(self) -> str:
        """The newest code in this one's mail."""
        sent = httpx.get(f"{self.world['twins']['mail']}/_twin/ledger").json()["items"]
        mails = [one["request"]["body"] for one in sent]
        mine = [mail["text"] for mail in mails if self.email in mail["to"]]
        if not mine:
            raise SystemExit(f"No mail came to {self.email}.")
        return re.findall(r"\b\d{6}\b", mine[-1])[0]

    # What the shop and the vendors are told.

    def buys(self, sku: str, quantity: int) -> dict[str, Any]:
        """An order in the shop, which tells us of it by a signed webhook."""
        line = {"id": secrets.randbelow(10**12), "sku": sku, "quantity": quantity}
        order = {
            "customer": {"id": self.customer},
            "line_items": [line],
            "note_attributes": [{"name": "mg_pass_id", "value": self.pass_id}],
        }
        return self.steer("shopify", "orders", order)

    def steer(self, twin: str, call: str, body: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.world['twins'][twin]}/_twin/{call}", json=body, timeout=30)
        return dict(answer.raise_for_status().json())

    # Pictures.

    def uploads(self, purpose: str, text: str) -> str:
        """A picture of its own, put where the application says; its permanent URL."""
        content = _card(text)
        size = {"content_type": "image/png", "bytes": len(content), "purpose": purpose}
        place = self.ask("POST", "/uploads", size)
        put = httpx.put(place["put_url"], content=content, headers=place["headers"], timeout=30)
        put.raise_for_status()
        return str(self.ask("POST", f"/uploads/{place['upload_id']}/complete", {})["public_url"])

    def pastes(self, purpose: str, name: str) -> str:
        """A picture of the web, by its URL."""
        url = f"{self.world['twins']['web']}/pictures/{name}.jpg"
        said = {"url": url, "purpose": purpose}
        return str(self.ask("POST", "/uploads/from-url", said)["public_url"])

    # The studio.

    def me(self) -> dict[str, Any]:
        return self.ask("GET", "/me")

    def matcha(self, amount: int) -> dict[str, Any]:
        """`/me`, once there is as much."""
        return self._until(self.me, lambda now: now["matcha"] == amount)

    def generation(self, generation_id: str) -> dict[str, Any]:
        return self.ask("GET", f"/mma/generations/{generation_id}")

    def stream(self, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(event, data) of a generation as it is made, to its end."""
        with self.http.stream("GET", path, timeout=PATIENCE_S) as answer:
            kind = ""
            for line in answer.iter_lines():
                name, _, said = line.partition(":")
                if name == "event":
                    kind = said.strip()
                elif name == "data" and kind:
                    yield kind, dict(orjson.loads(said))

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request; a look waits until it shows the last change."""
        answer = self.tries(method, path, body)
        found: dict[str, Any] = answer.json()
        if answer.is_error:
            raise SystemExit(f"{method} {path} answered {answer.status_code}: {found['detail']}")
        return found

    def tries(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """The same, whatever comes of it."""
        look = {"min_position": self._position} if method == "GET" and "?" not in path else None
        answer = self.http.request(method, path, json=body, params=look)
        self._position = max(self._position, int(answer.headers.get("X-Ledger-Position", 0)))
        return answer

    def _until(
        self, look: Callable[[], dict[str, Any]], there: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while not there(now := look()):
            if time.monotonic() > end:
                raise SystemExit(f"That took longer than {PATIENCE_S:.0f} s: {now}")
            time.sleep(POLL_S)
        return now


def _card(text: str) -> bytes:
    picture = Image.new("RGB", (640, 640), "#dfe8d2")
    ImageDraw.Draw(picture).text((40, 300), text, fill="#31502a", font_size=48)
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()
