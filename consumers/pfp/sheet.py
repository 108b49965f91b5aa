"""Writes docs/pfp.png, and the odds in docs/pfp.md: `python -m consumers.pfp.sheet`.

Needs a checkout; nothing of the product imports this.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from PIL import Image

from consumers.pfp import traits
from consumers.pfp.portrait import generate

DOCS = Path(__file__).parents[2] / "docs"
COLUMNS, ROWS, SIDE = 6, 4, 192
TABLE = re.compile(r"(?<=<!-- odds -->\n).*?(?=<!-- end -->)", re.DOTALL)


def sheet() -> Image.Image:
    """The portraits of sha256("0"), sha256("1") …, smaller."""
    made = Image.new("RGB", (COLUMNS * SIDE, ROWS * SIDE))
    for number in range(COLUMNS * ROWS):
        portrait = generate(sha256(str(number).encode()).digest())
        picture = Image.open(io.BytesIO(portrait.png)).convert("RGB")
        small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        made.paste(small, (number % COLUMNS * SIDE, number // COLUMNS * SIDE))
    return made


def odds_table() -> str:
    """Markdown: every table of `traits`, in percent."""
    lines = ["| trait | of | odds, % |", "| --- | --- | --- |"]
    lines += [f"| {kind} | {of} | {odds(weights)} |" for kind, of, weights in tables()]
    return "\n".join(lines) + "\n"


def tables() -> Iterator[tuple[str, str, traits.Weights]]:
    """(trait, whose, weights); a colour's table follows what it colours."""
    yield "Background", "all", {name: odds for name, (odds, _) in traits.BACKGROUNDS.items()}
    for name, (_, skies) in traits.BACKGROUNDS.items():
        if skies not in (traits.BRIGHT, {}):
            yield "Sky", name, skies
    yield "Sky", "the others but Test card", traits.BRIGHT
    yield "Kind", "all", traits.KIND_ODDS
    for name, kind in traits.KINDS.items():
        yield "Skin", name, kind.skins
    yield from shared("Eyes", {name: kind.eyes for name, kind in traits.KINDS.items()})
    yield from shared("Eye colour", {name: kind.irises for name, kind in traits.KINDS.items()})
    for layer in traits.ALL:
        worn = {name: kind.wears.get(layer, {}) for name, kind in traits.KINDS.items()}
        yield from shared(layer, worn)
    yield "Clothes", "all", traits.CLOTHES
    yield "Extra", "all", traits.EXTRAS
    for layer, (dyed, dyes) in traits.DYED.items():
        yield f"{layer} colour", ", ".join(sorted(dyed - {traits.NONE})), dyes


def shared(
    layer: str, of_kinds: Mapping[str, traits.Weights]
) -> Iterator[tuple[str, str, traits.Weights]]:
    """One table for all kinds that have the same."""
    for first, weights in of_kinds.items():
        same = [name for name, other in of_kinds.items() if other == weights]
        if weights and first == same[0]:
            yield layer, ", ".join(same), weights


def odds(weights: traits.Weights) -> str:
    if len(weights) > 1 and len(set(weights.values())) == 1:
        return ", ".join(weights) + ": alike"
    whole = sum(weights.values())
    return ", ".join(f"{name} {weight * 100 / whole:.3g}" for name, weight in weights.items())


if __name__ == "__main__":
    sheet().quantize(256, dither=Image.Dither.NONE).save(DOCS / "pfp.png", optimize=True)
    page = DOCS / "pfp.md"
    page.write_text(TABLE.sub(lambda _: odds_table(), page.read_text()))
