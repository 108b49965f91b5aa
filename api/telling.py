"""What a page tells of its visitor, as the command that records it (`POST /mma/events`).

Likes, dislikes and downloads are of a generation of the caller's own. That one was created, tweaked
or given feedback is known from its route already; telling it again is welcome and changes nothing,
and without a generation it is a record of its own.
"""

from __future__ import annotations

import json
from uuid import uuid4

from pydantic import ValidationError
from starlette.requests import Request

from api.body import mistakes_of
from api.owners import own_generation
from api.principal import Principal
from api.problems import Invalid
from api.studio_bodies import PreferencesChosen, PreferencesMeta, Told
from commands.command import Command
from commands.studio import NoteEvent, SetPreferences, TellEvent

OF_GENERATION = ("like", "dislike", "download")


async def event_of(request: Request, who: Principal, body: Told) -> Command:
    """NotFound for a generation of somebody else, Invalid for what lacks a part."""
    event_id = str(uuid4())
    if body.event_type == "preference_set":
        return _preferences(who, event_id, body)
    more = json.dumps(body.meta, ensure_ascii=False) if body.meta else ""
    if body.generation_id is None:
        if body.event_type in OF_GENERATION:
            raise Invalid(("body.generation_id", f"needed for a {body.event_type}"))
        return NoteEvent(owner=who.pass_id, event_id=event_id, type=body.event_type, more=more)
    await own_generation(request, who, body.generation_id)
    return TellEvent(
        generation_id=body.generation_id, event_id=event_id, type=body.event_type, more=more
    )


def _preferences(who: Principal, event_id: str, body: Told) -> SetPreferences:
    """They stand under `preferences`, or are the whole of `meta`."""
    alone = body.meta.keys() & PreferencesChosen.model_fields.keys()
    try:
        chosen = PreferencesMeta.model_validate(
            {"preferences": body.meta} if alone else body.meta
        ).preferences
    except ValidationError as error:
        raise Invalid(*mistakes_of(error, "body.meta")) from None
    return SetPreferences(
        owner=who.pass_id,
        event_id=event_id,
        hard_blocks=tuple(chosen.hard_blocks),
        tag_weights=dict(chosen.tag_weights),
    )
