"""Operators: what they see, what they may decide, and the lines that call them."""

from __future__ import annotations

import msgspec

from tests.e2e.browser import Browser, Json
from tests.e2e.stage import Stage
from tests.waiting import eventually


def operator(stage: Stage, name: str) -> Browser:
    found = Browser(stage, name)
    found.sign_in("admin")
    found.catch_up()
    return found


def case_of(of: Browser, about: str) -> Json:
    """The case whose id has this in it, once there is one."""
    ada = operator(of.stage, "ada")

    def found() -> Json | None:
        after: dict[str, str] = {}
        while True:
            page = ada.get("/admin/recoveries", limit="100", **after)
            for case in page["items"]:
                if about in case["id"]:
                    return dict(case)
            if not page["next_cursor"]:
                return None
            after = {"cursor": page["next_cursor"]}

    return eventually(found)


def calls(stage: Stage, upgrade_id: str) -> list[Json]:
    """Critical lines about a token that was burned and whose successor could not be minted."""
    wanted = ('"burned_but_not_minted"', '"critical"', upgrade_id)
    lines = [line for log in stage.logs() for line in log.read_text().splitlines()]
    return [msgspec.json.decode(line) for line in lines if all(each in line for each in wanted)]
