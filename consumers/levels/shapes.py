"""The shapes that several emblems share, as SVG on a square of 512; whole numbers and tenths only,
so that the same call writes the same text everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, pi, sin

SIZE = 512
CENTRE = SIZE // 2

Point = tuple[float, float]


def around(radius: float, share: float) -> Point:
    """A point around the centre; `share` of a turn, clockwise from the top."""
    angle = 2 * pi * share
    return CENTRE + radius * sin(angle), CENTRE - radius * cos(angle)


def star(tips: int, outer: float, inner: float, turn: float = 0.0) -> list[Point]:
    """`tips` at `outer`, and between them corners at `inner`; `turn` in shares of a tip."""
    return [
        around(outer if corner % 2 == 0 else inner, (corner / 2 + turn) / tips)
        for corner in range(2 * tips)
    ]


def cog(teeth: int, outer: float, inner: float) -> list[Point]:
    """Of each tooth, its two corners outside and its two feet."""
    corners = ((-0.30, inner), (-0.20, outer), (0.20, outer), (0.30, inner))
    return [
        around(radius, (tooth + side) / teeth) for tooth in range(teeth) for side, radius in corners
    ]


def many(corners: int, radius: float, turn: float = 0.0) -> list[Point]:
    """A regular polygon."""
    return [around(radius, (corner + turn) / corners) for corner in range(corners)]


def outline(points: Iterable[Point]) -> str:
    """A closed path through the points."""
    return "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in points) + "Z"


def path(points: Iterable[Point], paint: str) -> str:
    return f'<path d="{outline(points)}" {paint}/>'


def mirrored(drawing: str) -> str:
    """The left half of a drawing and its mirror image."""
    return f'{drawing}<g transform="matrix(-1 0 0 1 {SIZE} 0)">{drawing}</g>'


def ring(count: int, drawing: str, turn: float = 0.0) -> str:
    """A drawing that stands at the top, `count` times around the centre."""
    return "".join(
        f'<g transform="rotate({_short(360 * (place + turn) / count)} {CENTRE} {CENTRE})">'
        f"{drawing}</g>"
        for place in range(count)
    )


def linear(name: str, *stops: str, flat: bool = False) -> str:
    """A gradient from the top to the bottom, or from the left to the right."""
    way = 'x2="1" y2="0"' if flat else 'x2="0" y2="1"'
    return f'<linearGradient id="{name}" {way}>{_stops(stops)}</linearGradient>'


def radial(name: str, *stops: str) -> str:
    """From the middle outwards."""
    return f'<radialGradient id="{name}">{_stops(stops)}</radialGradient>'


def glow(name: str, colour: str) -> str:
    """A gradient that ends in nothing."""
    return (
        f'<radialGradient id="{name}"><stop stop-color="{colour}"/>'
        f'<stop offset="1" stop-color="{colour}" stop-opacity="0"/></radialGradient>'
    )


def _stops(colours: tuple[str, ...]) -> str:
    last = len(colours) - 1
    return "".join(
        f'<stop offset="{_short(place / last)}" stop-color="{colour}"/>'
        for place, colour in enumerate(colours)
    )


def _short(number: float) -> str:
    """At most one decimal, and no -0."""
    return f"{round(number, 1) + 0.0:g}"
