"""The picture of a level: a medal of its own form and colours, as SVG.

The same level gives the same bytes on any machine: the text is written here, and no font, script,
filter or other file is used. A change of any drawing changes what is drawn from then on; tokens
keep the pictures whose CIDs their metadata names.
"""

from __future__ import annotations

from collections.abc import Mapping

from consumers.levels.figures.alchemist import ALCHEMIST
from consumers.levels.figures.ape import APE
from consumers.levels.figures.beyond import beyond
from consumers.levels.figures.chicken import CHICKEN
from consumers.levels.figures.figure import Figure
from consumers.levels.figures.hunter import HUNTER
from consumers.levels.figures.quantum import QUANTUM
from consumers.levels.shapes import CENTRE, SIZE, linear, outline, path, radial
from domain.levels import level_name

CONTENT_TYPE = "image/svg+xml"
RAISED = 14
"""By how much the medal stands above the middle, for the stones below it."""
FIGURES: Mapping[int, Figure] = {1: CHICKEN, 2: APE, 3: HUNTER, 4: ALCHEMIST, 5: QUANTUM}


def emblem(level: int) -> bytes:
    """SVG of 512 × 512 in UTF-8. ValueError: levels count from 1."""
    if level < 1:
        raise ValueError(f"there is no level {level}")
    figure = FIGURES.get(level) or beyond(level)
    name = level_name(level)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" '
        f'viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{name}"><title>{name}</title>'
        f'{_defs(figure)}<rect width="{SIZE}" height="{SIZE}" fill="url(#ground)"/>'
        f'<g transform="translate(0 -{RAISED})">{_medal(figure)}{figure.over}</g>'
        f"{_stones(level, figure) if level in FIGURES else ''}</svg>"
    ).encode()


def _defs(figure: Figure) -> str:
    return (
        f"<defs>{radial('ground', *figure.ground)}{linear('metal', *figure.metal)}"
        f"{linear('edge', *reversed(figure.metal))}{radial('inside', *figure.inside)}"
        f'<clipPath id="field">{path(figure.field, "")}</clipPath>{figure.defs}</defs>'
    )


def _medal(figure: Figure) -> str:
    field = outline(figure.field)
    return (
        path(figure.rim, 'fill="url(#metal)" stroke="#000" stroke-opacity=".35" stroke-width="6"')
        + f'<path d="{field}" fill="url(#inside)"/>'
        + f'<g clip-path="url(#field)">{figure.scene}{figure.bust}</g>'
        + f'<path d="{field}" fill="none" stroke="url(#edge)" stroke-width="9"/>'
    )


def _stones(level: int, figure: Figure) -> str:
    """As many stones as the level counts, below the medal."""
    first = CENTRE - 13 * (level - 1)
    stones = "".join(
        f'<path d="M{first + 26 * place} 484l8 11l-8 11l-8-11z"/>' for place in range(level)
    )
    return f'<g fill="{figure.metal[0]}" stroke="#000" stroke-opacity=".4">{stones}</g>'
