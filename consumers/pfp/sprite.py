"""A drawing as rows of characters, and the names of its colours.

`.` shows what is below. `1` … `5` is the ramp of the drawing's own colour, dark to light; `a` … `e`
is a second ramp; the rest are the fixed colours of `palettes.FIXED`. All rows are equally long.
"""

from __future__ import annotations

from dataclasses import dataclass

SIZE = 32  # of the grid, both ways
CLEAR = "."


@dataclass(frozen=True, slots=True)
class Sprite:
    """`dots`: (x, y, character) of every pixel drawn, on the grid of 32 by 32."""

    dots: tuple[tuple[int, int, str], ...]

    def below(self, row: int) -> Sprite:
        """Without what is above `row`."""
        return Sprite(tuple(dot for dot in self.dots if dot[1] >= row))

    def __add__(self, other: Sprite) -> Sprite:
        """`other` on top."""
        return Sprite(self.dots + other.dots)


def sprite(x: int, y: int, drawing: str) -> Sprite:
    """The drawing with its upper left corner at (x, y). ValueError: its rows differ in length, or
    it leaves the grid."""
    rows = drawing.split()
    if {len(row) for row in rows} != {len(rows[0])}:
        raise ValueError(f"rows of different lengths: {[len(row) for row in rows]}\n{drawing}")
    if x < 0 or y < 0 or x + len(rows[0]) > SIZE or y + len(rows) > SIZE:
        raise ValueError(f"outside of the grid: {x}, {y}\n{drawing}")
    return Sprite(
        tuple(
            (x + column, y + line, char)
            for line, row in enumerate(rows)
            for column, char in enumerate(row)
            if char != CLEAR
        )
    )


NOTHING = Sprite(())
