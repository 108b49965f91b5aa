"""Tech Chicken: a hen with a visor before a circuit, in a cog of copper."""

from __future__ import annotations

from consumers.levels.figures.figure import Figure
from consumers.levels.shapes import cog, glow, linear, many, mirrored

TRACES = mirrored(
    """<g fill="none" stroke="#3fe0c5" stroke-width="4" stroke-opacity=".45">
<path d="M60 170H120L146 196V250"/><path d="M70 250H108L132 274V340"/>
<path d="M96 360H128L150 338"/><path d="M150 92V132L178 160"/><path d="M206 70V110"/></g>
<g fill="#0c3b44" stroke="#3fe0c5" stroke-width="4" stroke-opacity=".7">
<circle cx="146" cy="256" r="7"/><circle cx="132" cy="346" r="7"/>
<circle cx="206" cy="117" r="7"/></g>"""
)

COMB = """<path d="M204 182C176 172 172 128 206 126C204 92 244 76 258 104C276 78 316 96 308 128
C342 130 338 172 308 182Z" fill="url(#comb)"/>
<path d="M222 168C212 150 216 140 226 140M254 160C248 138 252 122 260 118M290 168C300 152 298 142
290 140" fill="none" stroke="#8e1420" stroke-width="5" stroke-linecap="round"/>"""

BODY = """<path d="M256 148C322 148 350 200 350 252C350 306 378 332 404 440H108C134 332 162 306
162 252C162 200 190 148 256 148Z" fill="url(#down)"/>
<path d="M256 148C322 148 350 200 350 252C350 306 378 332 404 440H256Z" fill="#c98f4a"
fill-opacity=".18"/>"""

FEATHERS = mirrored(
    """<g fill="none" stroke="#d8b684" stroke-width="5" stroke-linecap="round">
<path d="M166 322q12 16 26 4q12 16 28 2"/>
<path d="M148 358q14 18 30 4q14 18 30 2"/>
<path d="M136 396q14 18 30 4q14 18 30 2"/></g>"""
)

VISOR = """<rect x="146" y="212" width="28" height="50" rx="10" fill="#f08a2c"/>
<rect x="338" y="212" width="28" height="50" rx="10" fill="#f08a2c"/>
<path d="M356 212L372 150" stroke="#16323b" stroke-width="7" stroke-linecap="round"/>
<circle cx="373" cy="146" r="24" fill="url(#signal)"/>
<circle cx="373" cy="146" r="8" fill="#eafffb"/>
<path d="M182 200H330C346 200 352 210 352 222V246C352 262 342 272 328 272H292L256 254L220 272H184
C170 272 160 262 160 246V222C160 210 166 200 182 200Z" fill="url(#glass)" stroke="#0a1c22"
stroke-width="6"/>
<g fill="#5ff5dc">
<path d="M190 246q20-30 40 0h-11q-9-12-18 0z"/>
<path d="M282 246q20-30 40 0h-11q-9-12-18 0z"/></g>
<path d="M178 206H214L190 240H168V222C168 212 172 206 178 206Z" fill="#fff"
fill-opacity=".16"/>"""

BEAK = """<path d="M256 326C228 326 220 362 238 374C250 380 256 366 256 352C256 366 262 380 274
374 C292 362 284 326 256 326Z" fill="url(#comb)"/>
<path d="M226 306C240 322 272 322 286 306L256 340Z" fill="#c9650f"/>
<path d="M256 262L300 298C286 312 270 318 256 320C242 318 226 312 212 298Z" fill="url(#beak)"/>
<path d="M240 288l8 6M272 288l-8 6" stroke="#9a4a08" stroke-width="5" stroke-linecap="round"/>"""

CHIP = """<g stroke="#e8903a" stroke-width="5">
<path d="M242 382V428M256 382V428M270 382V428M233 391 H279M233 405H279M233 419H279"/></g>
<rect x="238" y="387" width="36" height="36" rx="5" fill="#12323b"/>
<path d="M256 396l9 9l-9 9l-9-9z" fill="#5ff5dc"/>"""

CHICKEN = Figure(
    rim=cog(12, 230, 203),
    field=many(60, 176),
    ground=("#2a4a50", "#0d1d22"),
    metal=("#ffd9a0", "#d9772b", "#7a3610"),
    inside=("#1d7f83", "#0a333d"),
    scene=TRACES,
    bust=COMB + BODY + FEATHERS + CHIP + BEAK + VISOR,
    defs=linear("comb", "#ff5a52", "#c11f2c")
    + linear("down", "#fffdf6", "#f3dcb4")
    + linear("glass", "#123e49", "#07171d")
    + linear("beak", "#ffc24d", "#f08a1d")
    + glow("signal", "#3fe0c5"),
)
