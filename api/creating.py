"""Creations between a request and its answer: what may be shown to a maker, and the matcha for it.

Creations of one pass that come at once are decided in turn (`commands/together.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from api.deps import answered, parts_of, recorded, underway
from api.parts import Parts
from api.principal import Principal
from api.problems import Invalid
from api.reading import SQL
from api.studio_bodies import NewVideo
from api.studio_problems import NeedMatcha
from commands.command import Command, Context, Outcome, look
from commands.config import SeeConfig
from commands.creations import Begin, BeginVideo
from domain.assets import permanent
from domain.config import config_stream
from domain.matcha import InsufficientMatcha

NOWHERE = "https://nowhere.invalid"
PERMANENT = "must be a permanent public URL of ours: upload it first"
PICTURE = "must be a picture, and this is a video"
FILMS = (".mp4", ".webm")


async def begin(request: Request, who: Principal, command: Begin) -> Response:
    """202 with where to follow it; 402 where the matcha does not suffice."""
    parts = parts_of(request)

    async def in_turn(command: Command, context: Context) -> Outcome:
        return await parts.studio.creations.handle(who.pass_id, command, context)

    async with underway(request, who):
        try:
            outcome = await recorded(request, who, command, in_turn)
        except InsufficientMatcha as short:
            particulars = " ".join(map(str, short.args))
            raise NeedMatcha(particulars, checkout_url(parts, who.pass_id)) from None
    body = outcome.answer.body
    if outcome.answer.status == 202:
        body = {**body, "position": outcome.position}
    return answered(outcome, body)


def checkout_url(parts: Parts, pass_id: str) -> str | None:
    """Where matcha is bought. A cart permalink of the shop is told whose cart it is, so that its
    order leads back to this pass; another address could not pass that on."""
    url = parts.settings.checkout_url
    if url is None or not urlsplit(url).path.startswith("/cart/"):
        return url
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}attributes[mg_pass_id]={quote(pass_id, safe='')}"


def must_be_ours(parts: Parts, assets: Mapping[str, Any]) -> None:
    """Each must be a picture under a permanent URL of ours; Invalid names those that are not."""
    base = (parts.settings.s3_public_base_url or NOWHERE).rstrip("/")
    told = [
        (name if isinstance(urls, str) else f"{name}.{place}", url)
        for name, urls in assets.items()
        for place, url in enumerate([urls] if isinstance(urls, str) else urls)
    ]
    if wrong := [(f"body.{name}", PERMANENT) for name, url in told if not permanent(url, base)]:
        raise Invalid(*wrong)
    if films := [(f"body.{name}", PICTURE) for name, url in told if url.lower().endswith(FILMS)]:
        raise Invalid(*films)


async def animation(request: Request, who: Principal, body: NewVideo) -> BeginVideo:
    """The video's parent is the generation of the caller's that made its image, if one did."""
    asked = {"names": list(who.names), "url": body.image}
    found = await parts_of(request).reader.rows(SQL["generation_of_output"], asked)
    return BeginVideo(
        owner=who.pass_id,
        **new_ids(),
        brief=body.prompt or "",
        settings=body.settings.chosen,
        assets=body.assets,
        parent=found[0][0] if found else "",
    )


def new_ids() -> dict[str, str]:
    return {"generation_id": str(uuid4()), "event_id": str(uuid4())}


async def config_of(parts: Parts, key: str) -> tuple[Any, int, str]:
    """(value, version, id) of a config as it is now."""
    see = SeeConfig(key=key)
    config = see.config(await look(parts.ledger, see))
    return config.value(key), config.version, f"{config_stream(key)}:{config.version}"
