"""Traits → the picture on its grid of 32 by 32, layer over layer, with an outline in ink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from consumers.pfp.chance import below
from consumers.pfp.palettes import DYES, FIXED, GLOWS, INK, IRISES, SKIES, SKINS, Colour, Ramp
from consumers.pfp.sprite import SIZE, Sprite
from consumers.pfp.sprites.clothes import CLOTHES
from consumers.pfp.sprites.extras import EXTRAS, EYEWEAR
from consumers.pfp.sprites.faces import BEAMS, EYES, MARKS, MOUTHS
from consumers.pfp.sprites.hair import BEHIND, HAIR
from consumers.pfp.sprites.heads import HEADS, WHISKERS
from consumers.pfp.sprites.headwear import BRIMS, HEADWEAR
from consumers.pfp.sprites.skies import sky
from consumers.pfp.traits import Trait

Canvas = dict[tuple[int, int], Colour]
LOWER = 1  # by how much a bust stands lower than it is drawn, for the glass has round corners
SPECKS = 7
ACCENTS = "abcde"
# The dye that goes with a dye.
MATCHES = {
    "Ink": "Crimson",
    "Rose": "Snow",
    "Lagoon": "Sand",
    "Violet": "Blond",
    "Snow": "Cobalt",
    "Matcha": "Sand",
    "Crimson": "Snow",
    "Cobalt": "Blond",
    "Blond": "Violet",
}


def drawn(traits: Sequence[Trait], seed: bytes) -> NDArray[np.uint8]:
    """32 × 32 × 3 of sRGB. The seed itself only places specks on the background, by which pictures
    of the same traits differ."""
    worn = {trait.kind: trait.value for trait in traits}
    bust: Canvas = {}
    for layer in layers(worn):
        paint(bust, *layer, down=LOWER)
    canvas = background(worn, seed) | outline(bust) | bust
    if worn["Kind"] == "Cat":
        paint(canvas, WHISKERS, down=LOWER)
    if worn.get("Eyes") == "Laser":
        paint(canvas, BEAMS, down=LOWER)
    return np.array([[canvas[x, y] for x in range(SIZE)] for y in range(SIZE)], np.uint8)


def layers(worn: Mapping[str, str]) -> Iterator[tuple[Sprite, Ramp, Ramp]]:
    """From back to front: a drawing, its ramp and its second ramp."""
    skin, eyes = SKINS[worn["Skin"]], {**IRISES, **GLOWS}.get(worn.get("Eye colour", ""), ())
    hair = worn.get("Hair", "")
    if hair in BEHIND:
        yield BEHIND[hair], *dyes(worn, "Hair")
    yield HEADS[worn["Kind"]], skin, ()
    yield CLOTHES[worn["Clothes"]], *dyes(worn, "Clothes")
    if "Mark" in worn:
        yield MARKS[worn["Mark"]], skin, ()
    if "Eyes" in worn:
        yield EYES[worn["Eyes"]], eyes, ()
    if "Mouth" in worn:
        yield MOUTHS[worn["Mouth"]], skin, ()
    if hair:
        yield HAIR[hair].below(BRIMS.get(worn.get("Headwear", ""), 0)), *dyes(worn, "Hair")
    for kind, sprites in (("Eyewear", EYEWEAR), ("Headwear", HEADWEAR), ("Extra", EXTRAS)):
        if kind in worn:
            yield sprites[worn[kind]], *dyes(worn, kind)


def dyes(worn: Mapping[str, str], kind: str) -> tuple[Ramp, Ramp]:
    dye = worn.get(f"{kind} colour", "")
    return DYES.get(dye, ()), DYES.get(MATCHES.get(dye, ""), ())


def background(worn: Mapping[str, str], seed: bytes) -> Canvas:
    canvas: Canvas = {}
    paint(canvas, sky(worn["Background"]), SKIES.get(worn.get("Sky", ""), ()))
    for number in range(SPECKS):
        at = below(seed, f"Speck {number}", SIZE * SIZE)
        place = at % SIZE, at // SIZE
        red, green, blue = canvas[place]
        canvas[place] = (red + 255) // 2, (green + 255) // 2, (blue + 255) // 2
    return canvas


def paint(
    canvas: Canvas, sprite: Sprite, ramp: Ramp = (), accent: Ramp = (), down: int = 0
) -> None:
    for x, y, char in sprite.dots:
        if y + down >= SIZE:
            continue
        if char.isdigit():
            colour = ramp[int(char) - 1]
        elif char in ACCENTS:
            colour = accent[ACCENTS.index(char)]
        else:
            colour = FIXED[char]
        canvas[x, y + down] = colour


def outline(bust: Canvas) -> Canvas:
    around = ((x + dx, y + dy) for x, y in bust for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)))
    return {(x, y): INK for x, y in around if 0 <= x < SIZE and 0 <= y < SIZE}
