"""On-chain Hunter: a wolf in the sights, behind it a ring of links, on a shield of steel."""

from __future__ import annotations

from consumers.levels.figures.figure import Figure
from consumers.levels.shapes import Point, glow, mirrored, ring

LINK = (
    '<rect x="233" y="80" width="46" height="27" rx="13.5" fill="none" stroke="{}" '
    'stroke-width="9"/>'
)
SIDE_LINK = '<path d="M239 94H273" stroke="{}" stroke-width="9" stroke-linecap="round"/>'
CHAIN = ring(12, LINK.format("#5f8fd6")) + ring(12, SIDE_LINK.format("#9cc3ff"), 0.5)

SIGHTS = """<circle cx="256" cy="256" r="120" fill="url(#moon)"/>
<g fill="none" stroke="#ffb347" stroke-opacity=".8">
<circle cx="256" cy="256" r="132" stroke-width="3"/>
<path d="M256 108V146M256 366V404M108 256H146M366 256H404" stroke-width="5"/></g>"""

# Half a wolf, facet by facet; light falls from above.
FACETS: tuple[tuple[str, tuple[Point, ...]], ...] = (
    ("#2c3c5e", ((170, 96), (150, 222), (206, 204))),
    ("#4d648f", ((170, 96), (206, 204), (230, 172))),
    ("#d98f6c", ((176, 132), (174, 194), (198, 190), (206, 172))),
    ("#a76550", ((176, 132), (174, 194), (184, 192))),
    ("#8ca6cf", ((230, 172), (256, 186), (256, 216))),
    ("#6f8bb8", ((230, 172), (206, 204), (256, 262), (256, 216))),
    ("#3f5680", ((150, 222), (206, 204), (222, 222), (178, 246))),
    ("#2f4368", ((150, 222), (178, 246), (124, 292))),
    ("#53709f", ((206, 204), (256, 262), (238, 274), (222, 222))),
    ("#c7d6ee", ((178, 246), (238, 274), (196, 300))),
    ("#9fb5d8", ((178, 246), (196, 300), (124, 292))),
    ("#7f9ac6", ((124, 292), (196, 300), (152, 330))),
    ("#b4c7e6", ((152, 330), (196, 300), (186, 366))),
    ("#dfe9f8", ((196, 300), (238, 274), (230, 344))),
    ("#c3d3ec", ((196, 300), (230, 344), (186, 366))),
    ("#93abd1", ((186, 366), (230, 344), (234, 384), (214, 396))),
    ("#8fa9d3", ((238, 274), (256, 262), (256, 346), (230, 344))),
    ("#5f7bab", ((238, 274), (256, 300), (256, 346), (230, 344))),
    ("#10151f", ((230, 344), (256, 346), (256, 378), (240, 372))),
    ("#3a4864", ((230, 344), (240, 372), (256, 378), (256, 388), (234, 384))),
    ("#6a82ac", ((214, 396), (234, 384), (256, 388), (256, 426))),
)
WOLF = mirrored(
    "".join(
        '<path d="M'
        + "L".join(f"{x} {y}" for x, y in corners)
        + f'Z" fill="{colour}" stroke="{colour}"/>'
        for colour, corners in FACETS
    )
    + """<path d="M182 244L206 236L238 266L214 264Z" fill="#0b0f18"/>
<circle cx="211" cy="252" r="26" fill="url(#ember)"/>
<path d="M192 246L208 240L230 260L212 260Z" fill="#ffb02e"/>
<path d="M209 243L215 259" stroke="#1a0d02" stroke-width="5"/>
<path d="M244 348L254 350L253 354L246 353Z" fill="#fff" fill-opacity=".3"/>"""
)


def _shield(half: float, top: float, foot: float) -> tuple[Point, ...]:
    """Straight above, pointed below."""
    side = ((0.0, top), (half * 0.55, top + 22), (half, top + 14), (half, 300.0))
    bend = ((half * 0.93, 352.0), (half * 0.68, foot - 58), (half * 0.36, foot - 22))
    right = [(256 + across, down) for across, down in (*side, *bend, (0.0, foot))]
    left = [(256 - across, down) for across, down in (*side[1:], *bend)]
    return (*right, *reversed(left))


HUNTER = Figure(
    rim=_shield(216, 22, 490),
    field=_shield(188, 50, 458),
    ground=("#26304a", "#0b0f1a"),
    metal=("#f0f5ff", "#7d93bd", "#2a3550"),
    inside=("#2a3f7d", "#0a1130"),
    scene=CHAIN + SIGHTS,
    bust=WOLF,
    defs=glow("moon", "#6d8cff") + glow("ember", "#ff9a1f"),
)
