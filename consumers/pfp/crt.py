"""A small picture shown on a glass tube: beam, bloom, scanlines, phosphor stripes, curved glass.

Light is counted in whole numbers, as the square of an sRGB value (0 … 65025), so that what is added
adds up as light does; brightness comes back by an exact integer root. Whatever does not depend on
the picture is computed once: where on the picture each point of the glass looks, and which share of
each colour it lets through. No step rounds a float, hence every machine shows the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from consumers.pfp.sprite import SIZE

PIXELS = 512  # of the glass, both ways
DOT = PIXELS // SIZE
ONE = 1 << 14  # half the width of the picture, in fixed point
BEZEL, BULGE = ONE // 40, ONE // 26  # by how much the glass is larger, and how far it bends
CORNER = ONE // 7  # radius
UNIT = 1 << 10  # a gain of one
# A stripe of red, green and blue phosphor and a gap: what each lets through of the three colours.
STRIPES = np.array(
    [[1210, 860, 900], [930, 1150, 900], [900, 860, 1260], [800, 800, 800]], dtype=np.int32
)
LINES = 128  # that the beam draws
BEAM_MIDDLE, BEAM_EDGE = 1210, 560  # its gain in the middle of a line and between two
LIGHT_MAX = 255 * 255
DIM = 110 * 110  # no brighter, no bloom
Light = NDArray[np.uint32]


@dataclass(frozen=True)
class Glass:
    """`look`: for every pixel of the glass the place on the picture (row * PIXELS + column);
    `gain`: shares of UNIT, 512 × 512 × 3; `shine`: the room's light that the glass throws back."""

    look: NDArray[np.intp]
    gain: Light
    shine: Light


def shown(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """32 × 32 × 3 sRGB in, 512 × 512 × 3 sRGB out."""
    glass = the_glass()
    light = picture.astype(np.uint32) ** 2
    lit = drawn(light) * 15 + bloom(light) * 2 >> 4
    seen = lit.reshape(-1, 3)[glass.look]
    seen *= glass.gain
    seen >>= 10
    seen += glass.shine
    return brightness()[np.minimum(seen, LIGHT_MAX) >> 4]


def drawn(light: Light) -> Light:
    """The dots as the beam draws them: wide, with edges softer across than along a line."""
    rows = np.repeat(light, DOT, axis=1)
    for _ in range(2):
        rows[:, 1:-1] = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) >> 2
    return np.repeat(rows, DOT, axis=0)


def bloom(light: Light) -> Light:
    """What bright places give to those around them, near and far."""
    bright = np.maximum(light, DIM) - DIM
    near = blurred(bright)
    far = blurred(blurred(blurred(near)))
    glow = near + 3 * far >> 2
    while len(glow) < PIXELS:
        glow = doubled(doubled(glow).swapaxes(0, 1)).swapaxes(0, 1)
    return glow


def blurred(light: Light) -> Light:
    for axis in (0, 1):
        padded = np.pad(light, [(2, 2) if each == axis else (0, 0) for each in range(3)], "edge")
        parts = [np.take(padded, range(at, at + SIZE), axis=axis) for at in range(5)]
        light = (parts[0] + 4 * parts[1] + 6 * parts[2] + 4 * parts[3] + parts[4]) >> 4
    return light


def doubled(light: Light) -> Light:
    """Twice as many rows, each between its neighbours at one quarter and three quarters."""
    padded = np.concatenate((light[:1], light, light[-1:]))
    made = np.empty((2 * len(light), *light.shape[1:]), dtype=light.dtype)
    made[0::2] = (padded[:-2] + 3 * light) >> 2
    made[1::2] = (padded[2:] + 3 * light) >> 2
    return made


@cache
def brightness() -> NDArray[np.uint8]:
    """Light / 16 → sRGB value."""
    return np.array([isqrt(light * 16 + 8) for light in range(LIGHT_MAX // 16 + 1)], np.uint8)


@cache
def the_glass() -> Glass:
    at = (2 * np.arange(PIXELS, dtype=np.int32) - PIXELS + 1) * ONE // PIXELS
    bent = ONE + BEZEL + BULGE * (at * at // ONE) // ONE
    across, down = at[None, :] * bent[:, None] // ONE, at[:, None] * bent[None, :] // ONE
    column, row = ((place + ONE) * PIXELS // (2 * ONE) for place in (across, down))
    inside = np.clip(row, 0, PIXELS - 1) * PIXELS + np.clip(column, 0, PIXELS - 1)
    gain = beam(down)[:, :, None] * STRIPES[np.arange(PIXELS) % len(STRIPES)] // UNIT
    gain = gain * (coverage(across, down) * vignette(at) // UNIT)[:, :, None] // UNIT
    return Glass(inside.astype(np.intp), gain.astype(np.uint32), shine(at, coverage(across, down)))


def beam(down: NDArray[np.int32]) -> NDArray[np.int32]:
    """The gain by the distance from the middle of the nearest line."""
    off = (down + ONE) * LINES % (2 * ONE) - ONE
    return BEAM_MIDDLE - (BEAM_MIDDLE - BEAM_EDGE) * (off * off // ONE) // ONE


def coverage(across: NDArray[np.int32], down: NDArray[np.int32]) -> NDArray[np.int32]:
    """Share of UNIT in which a place is on the picture: one inside, fading out over a few pixels
    along an edge with round corners."""
    past_x = np.maximum(np.abs(across) - (ONE - CORNER), 0)
    past_y = np.maximum(np.abs(down) - (ONE - CORNER), 0)
    left = CORNER * CORNER - past_x * past_x - past_y * past_y
    return np.clip(left * 12 // CORNER * UNIT // ONE, 0, UNIT)


def vignette(at: NDArray[np.int32]) -> NDArray[np.int32]:
    square = at * at // ONE
    return UNIT - (square[:, None] + square[None, :]) * (UNIT // 7) // ONE


def shine(at: NDArray[np.int32], on_picture: NDArray[np.int32]) -> Light:
    """A soft reflection in the upper left, and the dark case around the glass."""
    near = np.clip(
        ONE - ((at + ONE // 2)[None, :] ** 2 + (at + ONE * 3 // 4)[:, None] ** 2) // ONE, 0, ONE
    )
    tint = np.array([5, 5, 7], np.int32)
    lit = near[:, :, None] * tint * 60 // ONE * on_picture[:, :, None] // UNIT
    case = (UNIT - on_picture)[:, :, None] * np.array([14 * 14, 11 * 11, 22 * 22], np.int32) // UNIT
    return (lit + case).astype(np.uint32)
