"""The archive of what a pass had made, and the way back to the studio (seed 001 §9.3, §9.4)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.archiving import KINDS, page, recreation, wanted
from api.asking import FRESH, PAGED, fresh
from api.body import NoBody, read_body
from api.deps import parts_of, signed_in, spoken
from api.owners import own_generation
from api.routes.examples import DELIVERED, GENERATION, GENERATION_ID
from api.speech import told

router = APIRouter(prefix="/archive", tags=["studio"])
GenerationId = Annotated[str, Path(examples=[GENERATION_ID])]
ITEM = {
    "generation_id": GENERATION_ID,
    "kind": "still",
    "output_url": DELIVERED,
    "liked": True,
    "parent_id": None,
    "brief": GENERATION["brief"],
    "created_at": GENERATION["created_at"],
}
WHEN = "Created {} this: RFC 3339 with a zone, or a date in the studio's own zone, included."
FILTERS = {
    "kind": ("Stills or videos only.", {"type": "string", "enum": list(KINDS)}, "still"),
    "liked": ("Only those that are liked, or that are not.", {"type": "boolean"}, "true"),
    "from": (WHEN.format("since"), {"type": "string"}, "2026-01-01"),
    "to": (WHEN.format("until"), {"type": "string"}, "2099-12-31T23:59:59Z"),
    "q": ("Words of the brief.", {"type": "string", "maxLength": 200}, "matcha"),
}


@router.get(
    "",
    **told(
        "What I had made, newest first; a search may give a short page that goes on",
        answers={200: {"items": [ITEM], "next_cursor": None}},
        problems=(403, 422, 429, 503),
        query={**FILTERS, **PAGED, **FRESH},
    ),
)
async def read_archive(request: Request) -> Response:
    parts, who = parts_of(request), signed_in(request, "user")
    want = wanted(request, parts.settings.mega_display_tz)
    await fresh(request, "generations")
    return spoken(await page(parts, who, want))


@router.post(
    "/{generation_id}/recreate",
    **told(
        "What the studio loads to make it again; writes nothing, costs nothing",
        body=NoBody,
        example={},
        answers={
            200: {
                "mode": "still",
                "brief": GENERATION["brief"],
                "style": None,
                "settings": {"aspect_ratio": "4:3"},
                "assets": {},
            }
        },
        problems=(403, 404, 413, 422, 429, 503),
    ),
)
async def recreate(request: Request, generation_id: GenerationId) -> Response:
    who = signed_in(request, "user")
    known = await own_generation(request, who, generation_id)
    await read_body(request, NoBody)
    return spoken(await recreation(parts_of(request), known))
