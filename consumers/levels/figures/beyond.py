"""Levels above the named ones: a cut gem with the level's number. The level says how many facets
it has and, of six palettes, its colours; of 42 levels in a row no two have both in common."""

from __future__ import annotations

from itertools import pairwise

from consumers.levels.figures.figure import Figure
from consumers.levels.shapes import CENTRE, Point, around, glow, many, path, star

PALETTES = (
    ("#ffd6e0", "#ff4f7b", "#7a0f35"),
    ("#d8f6ff", "#2fa8e0", "#0b3f6b"),
    ("#fff3c4", "#f2b01e", "#7a4c05"),
    ("#dcffe0", "#35c46a", "#0b5130"),
    ("#efe0ff", "#9a5cf5", "#3c1280"),
    ("#ffe6d2", "#f5772c", "#7d2a06"),
)
FEWEST_FACETS = 8
GIRDLE, TABLE = 168, 108
# Each digit as strokes over a grid of 2 by 4.
DIGITS = {
    "0": "M0 0H2V4H0Z",
    "1": "M0 0.7L1 0V4M0 4H2",
    "2": "M0 0H2V2H0V4H2",
    "3": "M0 0H2V4H0M0.5 2H2",
    "4": "M0 0V2H2M2 0V4",
    "5": "M2 0H0V2H2V4H0",
    "6": "M2 0H0V4H2V2H0",
    "7": "M0 0H2L0.8 4",
    "8": "M0 0H2V4H0ZM0 2H2",
    "9": "M2 2H0V0H2V4H0",
}
PITCH, STROKE = 3, 0.62
WIDEST, HIGHEST = 116, 84


def beyond(level: int) -> Figure:
    facets = FEWEST_FACETS + level % 7
    light, colour, dark = PALETTES[level % len(PALETTES)]
    return Figure(
        rim=star(2 * facets, 236, 216),
        field=many(4 * facets, 198),
        ground=(dark, "#07060a"),
        metal=(light, colour, dark),
        inside=(dark, "#0a0710"),
        scene=f'<circle cx="{CENTRE}" cy="{CENTRE}" r="196" fill="url(#halo)"/>',
        bust=_gem(facets, light, dark) + _number(level),
        defs=glow("halo", colour),
    )


def _gem(facets: int, light: str, dark: str) -> str:
    """Seen from above; what looks to the upper left is light."""
    girdle, table = many(facets, GIRDLE), many(facets, TABLE, 0.5)
    drawn = path(girdle, 'fill="url(#metal)"')
    for place, (left, right) in enumerate(pairwise([*girdle, girdle[0]])):
        drawn += _facet((left, right, table[place]), (place + 0.5) / facets, light, dark)
        drawn += _facet((left, table[place - 1], table[place]), place / facets, light, dark)
    return drawn + path(table, 'fill="url(#edge)" stroke="#fff" stroke-opacity=".5"')


def _facet(corners: tuple[Point, ...], share: float, light: str, dark: str) -> str:
    across, down = around(1, share)
    lit = ((CENTRE - across) + (CENTRE - down) * 1.5) / 1.8
    shade = f'fill="{light if lit > 0 else dark}" fill-opacity="{round(abs(lit) * 0.7, 2):g}"'
    return path(corners, f'{shade} stroke="#fff" stroke-opacity=".25"')


def _number(level: int) -> str:
    written = str(level)
    width = PITCH * len(written) - 1
    size = round(min(WIDEST / width, HIGHEST / 4), 1)
    strokes = "".join(
        f'<path transform="translate({PITCH * place} 0)" d="{DIGITS[digit]}"/>'
        for place, digit in enumerate(written)
    )
    left, top = round(CENTRE - width * size / 2, 1), round(CENTRE - 2 * size, 1)
    return (
        f'<g transform="translate({left:g} {top:g}) scale({size:g})" fill="none" stroke="#fff" '
        f'stroke-width="{STROKE}" stroke-linecap="round" stroke-linejoin="round">{strokes}</g>'
    )
