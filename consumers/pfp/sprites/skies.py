"""Backgrounds, computed for the whole grid, in the ramp of their sky."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from consumers.pfp.sprite import SIZE, Sprite

# Thresholds of ordered dithering, 0 … 15.
BAYER = ((0, 8, 2, 10), (12, 4, 14, 6), (3, 11, 1, 9), (15, 7, 13, 5))
# Twice the centre of the head, so that distances from it stay whole.
CENTRE = (31, 30)
ROOFS = (18, 18, 18, 14, 14, 14, 14, 20, 20, 11, 11, 11, 11, 17, 17, 17)
HILLS = (22, 21, 20, 19, 19, 18, 18, 18, 18, 19, 19, 20, 21, 22, 23, 23)
BARS = "wYTGPRtV"


def dithered(value: int, x: int, y: int) -> int:
    """`value` in sixteenths, rounded up or down by the place."""
    return (value + BAYER[y % 4][x % 4]) // 16


def distance(x: int, y: int) -> int:
    """The square of twice the distance from the head's centre."""
    return (2 * x - CENTRE[0]) ** 2 + (2 * y - CENTRE[1]) ** 2


def fade(x: int, y: int) -> str:
    return str(min(5, 2 + dithered(y * 3 // 2, x, y)))


def glow(x: int, y: int) -> str:
    return str(max(1, 5 - dithered(distance(x, y) // 20, x, y)))


def disc(x: int, y: int) -> str:
    far = distance(x, y)
    return "4" if far < 24**2 else "5" if far < 26**2 else "3"


def rays(x: int, y: int) -> str:
    """Sixteen sectors: within an octant, by comparing the slope with tan(22.5°) ≈ 53/128."""
    across, down = 2 * x - CENTRE[0], 2 * y - CENTRE[1]
    small, large = sorted((abs(across), abs(down)))
    steep = small * 128 > large * 53
    odd = steep ^ (abs(across) > abs(down)) ^ ((across > 0) == (down > 0))
    return "4" if odd else "3"


def sunset(x: int, y: int) -> str:
    if y < 22:
        far = (2 * x - 31) ** 2 + (2 * y - 26) ** 2
        if far < 23**2 and not (y > 12 and y % 3 == 0):
            return "Y" if y < 9 else "O" if y < 15 else "P"
        return str(1 + dithered(y * 2, x, y) // 2)
    if y in (22, 24, 27, 31):
        return "P"
    return "P" if (2 * x - 31) % max(1, (y - 19) * 2) < 2 else "1"


def stars(x: int, y: int) -> str:
    moon = (x - 26) ** 2 + (y - 5) ** 2 < 14 and (x - 28) ** 2 + (y - 4) ** 2 > 10
    if moon:
        return "L"
    if (x * 7 + y * 13 + x * y) % 41 == 0:
        return "W" if (x + y) % 3 else "5"
    return str(1 + dithered(y // 2, x, y))


def checker(x: int, y: int) -> str:
    return "3" if (x // 4 + y // 4) % 2 else "4"


def stripes(x: int, y: int) -> str:
    return "3" if (x + y) // 4 % 2 else "4"


def dots(x: int, y: int) -> str:
    column, row = x % 8, (y + x // 8 % 2 * 4) % 8
    return "4" if (column - 3) ** 2 + (row - 3) ** 2 < 5 else "3"


def skyline(x: int, y: int) -> str:
    roof = ROOFS[x % 16] + (3 if x > 15 else 0)
    if y >= roof:
        lit = x % 3 == 1 and y % 3 == 0 and (x * 5 + y * 3) % 4
        return "Y" if lit else "1"
    if y >= ROOFS[(x + 5) % 16] - 5:
        return "2"
    return str(min(5, 3 + dithered(y, x, y)))


def hills(x: int, y: int) -> str:
    if y >= HILLS[(x + 7) % 16] + 3:
        return "g" if (x + y) % 5 else "G"
    if y >= HILLS[x % 16] - 2:
        return "G"
    cloud = (y in (5, 6) and 2 < x < 9) or (y == 4 and 4 < x < 8) or (y in (8, 9) and x > 25)
    return "W" if cloud else str(4 + dithered(y // 2, x, y))


def test_card(x: int, y: int) -> str:
    return BARS[x // 4] if y < 24 else "K" if y > 26 else BARS[::-1][x // 4]


def rain(x: int, y: int) -> str:
    drop = (y + x * x * 3) % 13
    if x % 2:
        return "1"
    return (
        "5" if drop == 12 else "4" if drop == 11 else "3" if drop > 8 else "2" if drop > 4 else "1"
    )


PATTERNS: dict[str, Callable[[int, int], str]] = {
    "Fade": fade,
    "Glow": glow,
    "Disc": disc,
    "Rays": rays,
    "Sunset": sunset,
    "Stars": stars,
    "Checker": checker,
    "Stripes": stripes,
    "Dots": dots,
    "Skyline": skyline,
    "Hills": hills,
    "Code rain": rain,
    "Test card": test_card,
}


@cache
def sky(name: str) -> Sprite:
    pattern = PATTERNS[name]
    return Sprite(tuple((x, y, pattern(x, y)) for y in range(SIZE) for x in range(SIZE)))
