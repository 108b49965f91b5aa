"""What a GPT step is told, and the prompt that stands in for an answer that never came whole.

Seed 001 §6.3 (`input_gpt_reader`), §7.2, §8.2. Personal texts are plain here; whoever records them
seals them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.event import plain
from domain.generation import Generation
from domain.generation_events import CreationBegun
from domain.pipeline import POST_SCAN, Planned, prompt_of, scans_of

PROMPT_MAX = 2_500
"""What every maker takes (`providers.md` §3)."""

ROLES = {
    "scan_product": "product",
    "scan_logo": "logo",
    "scan_inspiration": "inspiration",
    POST_SCAN: "output",
}


@dataclass(frozen=True, slots=True)
class Taste:
    """What is known of what the pass likes: `csv` by `taste.py`, and its preferences now."""

    csv: str = ""
    preferences: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Briefing:
    """`said` is JSON, `images` are permanent URLs; `instead` is what the step gives if GPT never
    answers in full."""

    said: dict[str, Any]
    images: tuple[str, ...]
    instead: str


def briefing_of(
    known: Generation, planned: Planned, parent: Generation | None, taste: Taste
) -> Briefing:
    """`parent` is what a tweak or a video made again starts from."""
    terms = known.terms
    assert terms is not None
    if role := ROLES.get(planned.type):
        return Briefing({"role": role}, (planned.image,), "")
    match terms.origin:
        case "create":
            return _reader(known, terms, taste)
        case "animate":
            return _motion(terms)
    assert parent is not None
    return _feedback(terms, parent)


def _reader(known: Generation, terms: CreationBegun, taste: Taste) -> Briefing:
    scans = scans_of(known)
    said = {
        "brief": terms.brief,
        "style": terms.style or "None",
        "settings": terms.settings,
        "scans": scans,
        "style_history_csv": taste.csv,
        "preferences": dict(taste.preferences),
    }
    captions = [scans.get("product_crt", ""), scans.get("logo_crt", "")]
    captions += scans.get("inspiration_crt", [])
    style = [f"Style: {terms.style}"] if terms.style else []
    words = "\n".join(filter(None, [terms.brief, *style, *captions]))
    return Briefing(said, (), words[:PROMPT_MAX])


def _motion(terms: CreationBegun) -> Briefing:
    style = terms.settings.get("movement_style")
    said = {"wish": terms.brief, "movement_style": style or "None"}
    words = [terms.brief or "Move it gently.", *([f"Movement: {style}"] if style else [])]
    return Briefing(said, _frames(terms), "\n".join(words)[:PROMPT_MAX])


def _feedback(terms: CreationBegun, parent: Generation) -> Briefing:
    before = prompt_of(parent)
    words = f"{terms.brief}\n{before}"[:PROMPT_MAX]
    said = {"previous_prompt": before, "feedback": terms.brief}
    if terms.mma_mode == "video":
        return Briefing(said, _frames(terms), words)
    assert parent.delivered is not None
    seen = parent.outputs(POST_SCAN)
    caption = plain(seen[-1])["output_still_crt"] if seen else ""
    return Briefing({**said, "output_caption": caption}, (parent.delivered.output_url,), words)


def _frames(terms: CreationBegun) -> tuple[str, ...]:
    frames = (terms.assets.get("image"), terms.assets.get("end_image"))
    return tuple(frame for frame in frames if frame)


def pictures_of(known: Generation, parent: Generation | None) -> dict[str, str | tuple[str, ...]]:
    """What the maker is shown, by role; absent without a picture."""
    terms = known.terms
    assert terms is not None
    assets = terms.assets
    found: dict[str, str | tuple[str, ...]] = {}
    for role, name in _ROLES[terms.mma_mode].items():
        if assets.get(name):
            found[role] = assets[name]
    if inspirations := tuple(assets.get("inspiration_images") or ()):
        found["inspirations"] = inspirations
    if terms.origin == "tweak" and parent and parent.delivered:
        found["previous"] = parent.delivered.output_url
    return found


_ROLES = {
    "still": {"product": "product_image", "logo": "logo_image"},
    "video": {"image": "image", "end_image": "end_image"},
}
