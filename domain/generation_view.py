"""A generation as it is shown (`contract.md` §7)."""

from __future__ import annotations

from typing import Any

from domain.generation import Generation
from domain.pipeline import prompt_of


def describe_generation(generation_id: str, known: Generation) -> dict[str, Any]:
    """The body of `GET /mma/generations/{id}`. `model` and `prompt` are null until there are any;
    `brief` is what the pass said."""
    terms = known.terms
    assert terms is not None
    error = {"code": known.failed.error_code} if known.failed else None
    return {
        "generation_id": generation_id,
        "kind": terms.mma_mode,
        "status": known.status,
        "parent_id": parent_of(terms.parent_id),
        "brief": terms.brief,
        "prompt": prompt_of(known) or None,
        "output_url": known.delivered.output_url if known.delivered else None,
        "settings": terms.settings,
        "style": terms.style,
        "assets": terms.assets,
        "provider": terms.provider,
        "model": model_of(known),
        "cost": terms.cost,
        "liked": known.echo.liked,
        "user_messages": list(known.messages),
        "error": error,
        "created_at": terms.begun_at.isoformat(),
    }


def model_of(known: Generation) -> str | None:
    if known.delivered:
        return known.delivered.model
    return known.media.model if known.media else None


def parent_of(parent_id: str | None) -> str | None:
    """The generation's own id, without the namespace of records."""
    return parent_id.removeprefix("generation:") if parent_id else None
