"""Quantum Alchemist: what is left of the alchemist when the stone is found, a night with eyes; the
orbits of an atom pass before and behind it. A burst of rays."""

from __future__ import annotations

from consumers.levels.figures.figure import Figure
from consumers.levels.shapes import glow, linear, mirrored, radial, ring, star

STARS = "".join(
    f'<circle cx="{x}" cy="{y}" r="{size}"/>'
    for x, y, size in (
        (112, 150, 3),
        (150, 104, 2),
        (96, 232, 2),
        (122, 300, 3),
        (98, 356, 2),
        (196, 84, 2),
        (326, 92, 3),
        (372, 118, 2),
        (404, 170, 3),
        (416, 246, 2),
        (394, 318, 2),
        (410, 350, 3),
        (150, 196, 2),
        (356, 200, 2),
    )
)
SKY = f"""<circle cx="256" cy="230" r="190" fill="url(#nebula)"/>
<circle cx="160" cy="330" r="120" fill="url(#cloud)"/><circle cx="356" cy="140" r="110"
fill="url(#cloud)"/><g fill="#fff" fill-opacity=".85">{STARS}</g>
<g fill="#9ff6ff" fill-opacity=".16">{ring(12, '<path d="M250 256L238 40H274L262 256Z"/>')}</g>"""

ORBIT = '<ellipse cx="256" cy="256" rx="186" ry="62" transform="rotate({} 256 256)"/>'
ORBITS = f"""<g fill="none" stroke="url(#path)" stroke-width="5">
{ORBIT.format(90)} {ORBIT.format(30)}{ORBIT.format(-30)}</g>"""
# The lower halves again, in front of the figure.
NEAR = """<g fill="none" stroke="url(#path)" stroke-width="6">
<path d="M70 256A186 62 0 0 0 442 256" transform="rotate(30 256 256)"/>
<path d="M70 256A186 62 0 0 0 442 256" transform="rotate(-30 256 256)"/></g>"""
ELECTRONS = "".join(
    f'<circle cx="{x}" cy="{y}" r="26" fill="url(#spark)"/><circle cx="{x}" cy="{y}" r="8" '
    f'fill="#fff"/>'
    for x, y in ((95, 163), (417, 163), (256, 70), (172, 275), (340, 275))
)

CLOAK = mirrored(
    """<path d="M78 476C92 384 156 346 206 330L256 476Z" fill="url(#night)"/>
<path d="M206 330C156 346 92 384 78 476" fill="none" stroke="#7df3ff" stroke-opacity=".8"
stroke-width="4"/>"""
)
HOOD = """<path d="M256 78C282 116 358 164 358 262C358 310 340 346 314 374H198C172 346 154 310
154 262 C154 164 230 116 256 78Z" fill="url(#night)" stroke="url(#path)" stroke-width="4"/>
<g fill="#fff"><circle cx="190" cy="190" r="2"/><circle cx="172" cy="250" r="3"/>
<circle cx="214" cy="144" r="2"/><circle cx="322" cy="190" r="3"/>
<circle cx="342" cy="256" r="2"/><circle cx="296" cy="142" r="2"/>
<circle cx="178" cy="304" r="2"/><circle cx="334" cy="312" r="2"/></g>
<path d="M256 140C294 164 324 208 324 262C324 310 300 342 256 362C212 342 188 310 188 262C188 208
218 164 256 140Z" fill="url(#void)" stroke="#7df3ff" stroke-width="5" stroke-linejoin="round"/>"""

FACE = (
    """<circle cx="256" cy="256" r="100" fill="url(#soul)"/>"""
    + mirrored(
        """<path d="M200 238C218 228 240 240 248 258C228 270 206 262 200 238Z" fill="#fff"/>
<path d="M222 242L232 252L222 262L212 252Z" fill="#5b2bd6"/>"""
    )
    + """<path d="M256 180L268 198L256 216L244 198Z" fill="#fff"/>
<path d="M256 168V158M256 238V228M234 198H226M286 198H278" stroke="#bff8ff" stroke-width="4"
stroke-linecap="round"/>"""
    + mirrored(
        """<path d="M256 290C240 282 214 292 202 314C212 350 232 380 256 404Z"
fill="url(#light)"/>
<path d="M214 320C222 342 234 360 248 374M232 308C236 322 242 332 250 340" fill="none"
stroke="#8f6bff" stroke-width="3" stroke-opacity=".7" stroke-linecap="round"/>"""
    )
)

STONE = """<circle cx="256" cy="398" r="100" fill="url(#spark)"/>
<path d="M256 330L306 376L256 462L206 376Z" fill="#fff"/>
<path d="M256 330L234 376H206Z" fill="#8df0ff"/>
<path d="M256 330L278 376H234Z" fill="#f4feff"/>
<path d="M256 330L306 376H278Z" fill="#f6a8ff"/>
<path d="M206 376H234L256 462Z" fill="#47c9f2"/>
<path d="M234 376H278L256 462Z" fill="#b48cff"/>
<path d="M306 376H278L256 462Z" fill="#e05cd8"/>
<path d="M256 330L306 376L256 462L206 376Z" fill="none" stroke="#fff" stroke-width="3"
stroke-linejoin="round"/>"""

QUANTUM = Figure(
    rim=star(24, 240, 214),
    field=star(24, 206, 196),
    ground=("#2c1a5e", "#08040f"),
    metal=("#8ffaff", "#a06bff", "#ff5ccf"),
    inside=("#3a1d8f", "#0b0426"),
    scene=SKY + ORBITS,
    bust=CLOAK + HOOD + FACE + NEAR,
    over=ELECTRONS + STONE,
    defs=linear("night", "#2b1a6b", "#0a0524")
    + linear("path", "#8ffaff", "#d58bff", "#ff7ad9", flat=True)
    + radial("void", "#2a0f6e", "#060214")
    + linear("light", "#ffffff", "#9fd8ff")
    + glow("nebula", "#7a3cff")
    + glow("cloud", "#ff4fc3")
    + glow("spark", "#5fe9ff")
    + glow("soul", "#8a5cff"),
)
