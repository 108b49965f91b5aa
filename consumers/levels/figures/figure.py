"""What makes one emblem differ from another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consumers.levels.shapes import Point


@dataclass(frozen=True, slots=True)
class Figure:
    """`rim` is the outline of the medal, `field` that of its inside, which `scene` and `bust` do
    not leave; `over` may. Colours: of the `ground` around it and of the field from the middle
    outwards, of the `metal` of the rim from top to bottom. `defs` are gradients that the drawings
    name."""

    rim: Sequence[Point]
    field: Sequence[Point]
    ground: tuple[str, str]
    metal: tuple[str, str, str]
    inside: tuple[str, str]
    scene: str
    bust: str
    over: str = ""
    defs: str = ""
