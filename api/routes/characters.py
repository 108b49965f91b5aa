"""Characters: one image each of (pass, role, kind), which a paid order brings about."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import StringConstraints

from api.asking import FRESH, PAGED, THEN, as_of, fresh, page, page_asked
from api.body import Body, NoBody, read_body
from api.deps import parts_of, signed_in, spoken, write
from api.history import NOW, character_then
from api.owners import own_character
from api.reading import SQL
from api.routes.examples import CHARACTER, CHARACTER_ID, ORDER
from api.speech import told
from commands.characters import CreateCharacter, RetryGeneration
from commands.orders import OpenMintOrder

router = APIRouter(tags=["characters"])
CharacterId = Annotated[str, Path(examples=[CHARACTER_ID])]


class NewCharacter(Body):
    role: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    kind: Literal["role", "mini_me"]


@router.post(
    "/characters",
    **told(
        "Create a character, or find the one there is",
        body=NewCharacter,
        example={"role": "samurai", "kind": "role"},
        answers={201: CHARACTER, 200: CHARACTER},
        problems=(403, 413, 422, 429, 503),
        keyed=True,
    ),
)
async def create_character(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, NewCharacter)
    role = parts_of(request).catalog.offer(body.role).role
    return await write(request, who, CreateCharacter(owner=who.pass_id, role=role, kind=body.kind))


@router.get(
    "/characters",
    **told(
        "Every character of the pass, the oldest first",
        answers={200: {"items": [CHARACTER], "next_cursor": None}},
        problems=(403, 422, 429, 503),
        query={**PAGED, **FRESH},
    ),
)
async def list_characters(request: Request) -> Response:
    who = signed_in(request, "user", "auditor")
    limit, after = page_asked(request)
    await fresh(request, "characters")
    asked: dict[str, Any] = {"names": list(who.names), "after": after, "limit": limit + 1}
    return page(await parts_of(request).reader.rows(SQL["characters_of"], asked), limit)


@router.get(
    "/characters/{character_id}",
    **told(
        "One character: its image, its order, what to do next",
        answers={200: CHARACTER},
        problems=(403, 404, 422, 429, 503),
        query={**FRESH, **THEN},
    ),
)
async def read_character(request: Request, character_id: CharacterId) -> Response:
    parts, who = parts_of(request), signed_in(request, "user", "auditor")
    await own_character(request, who, character_id)
    then = as_of(request)
    await fresh(request, "characters")
    shown = None if then else await parts.reader.character(character_id)
    if shown is None:
        return spoken(await character_then(parts.ledger, character_id, then or NOW))
    return Response(shown, media_type="application/json")


@router.post(
    "/characters/{character_id}/mint-orders",
    **told(
        "Open the one order of a character, or find the one that is open",
        body=NoBody,
        example={},
        answers={201: ORDER, 200: ORDER},
        problems=(403, 404, 409, 413, 422, 429, 503),
        keyed=True,
    ),
)
async def open_mint_order(request: Request, character_id: CharacterId) -> Response:
    parts, who = parts_of(request), signed_in(request, "user")
    born = await own_character(request, who, character_id)
    await read_body(request, NoBody)
    opening = OpenMintOrder(
        character_id=character_id,
        offer=parts.catalog.offer(born.role),
        terms=parts.catalog.terms,
        opened_block=await parts.chain.known(),
    )
    return await write(request, who, opening)


@router.post(
    "/characters/{character_id}/retry-generation",
    **told(
        "Make a failed image again, free of charge",
        body=NoBody,
        example={},
        answers={202: CHARACTER},
        problems=(403, 404, 409, 413, 422, 429, 503),
        keyed=True,
    ),
)
async def retry_generation(request: Request, character_id: CharacterId) -> Response:
    parts, who = parts_of(request), signed_in(request, "user")
    await own_character(request, who, character_id)
    await read_body(request, NoBody)
    provider, model = parts.image_maker
    retry = RetryGeneration(character_id=character_id, provider=provider, model=model)
    return await write(request, who, retry)
