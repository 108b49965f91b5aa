"""Pipeline: which step a generation takes next, and what its steps have told the ones after them.

Scans only of what is there, then the prompt, the making, and a look at a still that was made (seed
001 §6–§8). A step that failed is taken again; a post-scan is tried once, for nobody waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.contexts import FEEDBACK_MOTION, FEEDBACK_STILL, READER, READER_MOTION, SCANNER
from domain.event import plain, secret
from domain.generation import Generation
from domain.generation_events import CreationBegun, Origin, Status
from domain.generation_lines import DONE

POST_SCAN = "post_scan"


@dataclass(frozen=True, slots=True)
class Planned:
    """A step to take. `context` is the config of a GPT step; `image` what a scan looks at."""

    type: str
    status: Status
    line: str
    context: str = ""
    image: str = ""
    gives: str = ""

    @property
    def makes_media(self) -> bool:
        return not self.context


_PROMPTS: dict[Origin, tuple[str, str]] = {
    "create": ("gpt_reader", READER),
    "tweak": ("gpt_feedback_still", FEEDBACK_STILL),
    "animate": ("gpt_reader_motion", READER_MOTION),
    "regenerate": ("gpt_feedback_motion", FEEDBACK_MOTION),
}


def plan_of(terms: CreationBegun) -> list[Planned]:
    """Every step up to the making, in order."""
    scans = _scans(terms) if terms.origin == "create" else []
    type_, context = _PROMPTS[terms.origin]
    made = "your picture" if terms.mma_mode == "still" else "your video"
    return [
        *scans,
        Planned(type_, "prompting", "Finding the right words for it.", context),
        Planned(f"{terms.provider}_generate", "generating", f"Making {made}."),
    ]


def next_step(generation: Generation) -> Planned | None:
    """What is to be done next; None once it was made."""
    assert generation.terms is not None
    seen: dict[str, int] = {}
    for planned in plan_of(generation.terms):
        nth = seen.get(planned.type, 0)
        seen[planned.type] = nth + 1
        if len(generation.outputs(planned.type)) <= nth:
            return planned
    return None


def post_scan_of(generation: Generation) -> Planned | None:
    """The look at a still that was made; None for a video, or when it was taken already."""
    assert generation.terms is not None
    taken = any(step.type == POST_SCAN for step in generation.steps)
    if taken or generation.terms.mma_mode != "still":
        return None
    made = made_by(generation)["output_url"]
    line = "Having a last look at it."
    return Planned(POST_SCAN, "post_scanning", line, SCANNER, made, "output_still_crt")


def made_by(generation: Generation) -> dict[str, Any]:
    """The output of the step that made the picture or the video."""
    assert generation.terms is not None
    return generation.outputs(f"{generation.terms.provider}_generate")[-1]


def prompt_of(generation: Generation) -> str:
    """What the newest prompt step wrote; empty before it has."""
    types = [type_ for type_, _ in _PROMPTS.values()]
    written = generation.outputs(*types)
    return str(plain(written[-1])["clean_prompt"]) if written else ""


def scans_of(generation: Generation) -> dict[str, Any]:
    """What the scans saw: `product_crt`, `logo_crt`, `inspiration_crt` (a list)."""
    found: dict[str, Any] = {}
    for output in generation.outputs("scan_product", "scan_logo"):
        found |= plain(output)
    if seen := generation.outputs("scan_inspiration"):
        found["inspiration_crt"] = [plain(output)["inspiration_crt"] for output in seen]
    return found


def vars_of(generation: Generation) -> dict[str, Any]:
    """The canonical map of seed 001 §12.1, its personal texts marked."""
    terms = generation.terms
    assert terms is not None
    scans = {name: _hidden(value) for name, value in scans_of(generation).items()}
    made, after = made_by(generation), generation.outputs(POST_SCAN)
    return {
        "mode": terms.mma_mode,
        "assets": terms.assets,
        "scans": scans,
        "prompts": {"brief": secret(terms.brief), "clean_prompt": secret(prompt_of(generation))},
        "settings": {**terms.settings, "style": terms.style},
        "userMessages": [secret(text) for text in (*generation.messages, DONE[terms.mma_mode])],
        "outputs": {"output_url": made["output_url"], **(after[-1] if after else {})},
    }


def _scans(terms: CreationBegun) -> list[Planned]:
    product, logo = terms.assets.get("product_image"), terms.assets.get("logo_image")
    scans = []
    if product:
        scans.append(_scan("scan_product", "Looking at your product.", product, "product_crt"))
    if logo:
        scans.append(_scan("scan_logo", "Looking at your logo.", logo, "logo_crt"))
    for image in terms.assets.get("inspiration_images", ()):
        line = "Taking in what inspires you."
        scans.append(_scan("scan_inspiration", line, image, "inspiration_crt"))
    return scans


def _scan(type_: str, line: str, image: str, gives: str) -> Planned:
    return Planned(type_, "scanning", line, SCANNER, image, gives)


def _hidden(value: Any) -> Any:
    return [secret(text) for text in value] if isinstance(value, list) else secret(value)
