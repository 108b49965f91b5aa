"""Somebody in the studio: a pass with matcha that asks for stills and videos."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any

import httpx

from tests.e2e.browser import PATIENCE_S, Browser, Json
from tests.e2e.facts import Fact
from tests.e2e.stage import Stage
from tests.twins.control import Control
from tests.waiting import eventually

MATCHA = 20
ENDS = ("done", "failed", "cancelled")
SPENT = """
SELECT mg_delta FROM mega_generations
WHERE mg_record_type = 'credit_transaction' AND mg_id = %s
"""


class Creator(Browser):
    """The matcha is what the studio gives everybody for a welcome."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, f"s{secrets.token_hex(6)}")
        self.sign_in("user admin")
        self.post("/admin/configs", {"key": "mma.welcome", "value": {"amount": MATCHA}})
        self.sign_in()
        self.post("/sessions")

    @property
    def kling(self) -> Control:
        return Control(self.stage.vendors.urls["kling"])

    def picture(self, name: str) -> str:
        """Where an upload would be."""
        base = self.stage.world.gives("s3")["S3_PUBLIC_BASE_URL"]
        return f"{base}/uploads/{name}.png"

    def brief(self) -> str:
        """Nobody else may ever read it."""
        words = f"A cup of matcha on wet stone for {secrets.token_hex(12)}"
        self.stage.canary.prompt(words)
        return words

    def still(self, **more: Any) -> str:
        said = {"brief": self.brief(), **more}
        return str(self.post("/mma/still/create", said)["generation_id"])

    def tweak(self, id_: str) -> str:
        said = {"feedback": self.brief()}
        return str(self.post(f"/mma/still/{id_}/tweak", said)["generation_id"])

    def video(self, **more: Any) -> str:
        said = {"image": self.picture("cup"), "prompt": self.brief(), **more}
        return str(self.post("/mma/video/animate", said)["generation_id"])

    def generation(self, id_: str) -> Json:
        return self.get(f"/mma/generations/{id_}")

    def until(self, id_: str, *statuses: str, within_s: float = PATIENCE_S) -> Json:
        def there() -> Json | None:
            now = self.generation(id_)
            return now if now["status"] in (statuses or ENDS) else None

        found = eventually(there, within_s, every_s=0.1)
        self.catch_up()
        return found

    # What the witnesses say.

    def facts(self, id_: str) -> list[Fact]:
        return self.stage.facts.of_streams(f"generation:{id_}")

    def names(self, id_: str) -> list[str]:
        return [fact.name for fact in self.facts(id_)]

    def spent(self, id_: str) -> list[int]:
        rows = self.stage.facts.rows(SPENT, f"credit_transaction:{id_}")
        return [int(delta) for (delta,) in rows]

    def tasks(self, id_: str) -> int:
        """How many videos were billed for a generation."""
        items = self.kling.get("ledger")
        return sum(item["external_task_id"].startswith(id_) for item in items)

    def check_delivered(self, id_: str) -> None:
        """Delivered once, paid for once, readable by anybody, told step by step."""
        shown, names = self.generation(id_), self.names(id_)
        assert shown["status"] == "done", shown
        assert names.count("creation_delivered") == 1 and self.spent(id_) == [-1], names
        steps = [fact.data for fact in self.facts(id_) if fact.name == "step_recorded"]
        assert [step["step_no"] for step in steps] == list(range(1, len(steps) + 1))
        four = {"input", "output", "timing", "error"}
        assert all(step["payload"].keys() == four for step in steps)
        public = httpx.get(shown["output_url"]).raise_for_status()
        assert f"generations/{id_}/{sha256(public.content).hexdigest()}" in shown["output_url"]
        kind = "image/png" if shown["kind"] == "still" else "video/mp4"
        assert public.headers["content-type"] == kind

    def check_free(self, id_: str) -> None:
        """Nothing was charged and nothing is held."""
        assert self.spent(id_) == []
        assert "matcha_captured" not in self.names(id_)
        me = self.get("/me")
        assert me["matcha"] == me["matcha_available"], me
