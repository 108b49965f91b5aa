"""Where a page of the studio stands, by what it says and what the ledger knows."""

from __future__ import annotations

from typing import Any, get_args

from starlette.requests import Request

from api.creating import checkout_url, config_of
from api.deps import parts_of
from api.owners import own_generation
from api.parts import Parts
from api.principal import Principal
from api.problems import Invalid
from commands.command import look
from commands.matcha import SeeMatcha
from domain.studio_config import COSTS_KEY
from domain.studio_state import (
    LABELS,
    Mode,
    Situation,
    Upload,
    Work,
    button_of,
    can_type_for_me,
)

MADE_BY: dict[str, Mode] = {"still": "still", "video": "animation"}
COSTS = {"still": "still", "animation": "video"}


async def situation(request: Request, who: Principal) -> Situation:
    """NotFound for a generation of somebody else; Invalid for what the table does not know."""
    mode: Mode = _one_of(request, "mode", get_args(Mode), "")
    upload: Upload = _one_of(request, "upload", get_args(Upload), "none")
    uploaded = "true" if upload == "done" else "false"
    image = _one_of(request, "has_image", ("true", "false"), uploaded) == "true"
    parts = parts_of(request)
    costs, _, _ = await config_of(parts, COSTS_KEY)
    see = SeeMatcha(owner=who.pass_id)
    matcha = see.account(await look(parts.ledger, see)).available(parts.clock.now())
    return Situation(
        mode=mode,
        upload=upload,
        has_image=image,
        affordable=matcha >= costs[COSTS[mode]],
        work=await _work(request, who, mode),
    )


def button(parts: Parts, who: Principal, now: Situation) -> dict[str, Any]:
    """The body of `GET /studio/state`."""
    state = button_of(now)
    label, action = LABELS[state]
    shown: dict[str, Any] = {"state": state, "label": label, "action": action}
    if action == "checkout":
        shown["checkout_url"] = checkout_url(parts, who.pass_id)
    return {"button": shown, "type_for_me": {"enabled": can_type_for_me(now)}}


async def _work(request: Request, who: Principal, mode: Mode) -> Work:
    id_ = request.query_params.get("generation_id")
    if not id_:
        return "none"
    known = await own_generation(request, who, id_)
    if known.terms is None or MADE_BY[known.terms.mma_mode] != mode:
        return "none"
    if known.underway:
        return "underway"
    return "failed" if known.failed else "none"


def _one_of(request: Request, name: str, words: tuple[str, ...], otherwise: str) -> Any:
    said = request.query_params.get(name) or otherwise
    if said not in words:
        raise Invalid((f"query.{name}", f"one of {', '.join(words)}"))
    return said
