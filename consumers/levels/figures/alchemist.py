"""Alpha Alchemist: who hides below a hood and holds a flask of alpha, in a star of gold."""

from __future__ import annotations

from consumers.levels.figures.figure import Figure
from consumers.levels.shapes import glow, linear, many, mirrored, outline, ring, star

CIRCLE = f"""<g fill="none" stroke="#ffcf6b" stroke-opacity=".32" stroke-width="3">
<circle cx="256" cy="256" r="150"/><circle cx="256" cy="256" r="139"/>
<path d="{outline(many(3, 139))}{outline(many(3, 139, 0.5))}"/></g>
<g fill="#ffcf6b" fill-opacity=".5">{ring(24, '<path d="M253 112h6v-10h-6z"/>')}</g>
<circle cx="256" cy="330" r="190" fill="url(#fire)"/>"""

CLOAK = mirrored(
    """<path d="M70 470C84 378 150 336 210 322L256 470Z" fill="url(#cloth)"/>
<path d="M150 362C132 392 124 430 124 470M186 344C170 388 166 430 170 470" fill="none"
stroke="#2a0410" stroke-width="6" stroke-opacity=".6"/>"""
)

HOOD = """<path d="M256 64C284 104 366 158 366 262C366 312 346 352 318 380H194C166 352 146 312
146 262 C146 158 228 104 256 64Z" fill="url(#cloth)"/>
<path d="M256 64C284 104 366 158 366 262C366 312 346 352 318 380H256Z" fill="#000"
fill-opacity=".2"/>
<path d="M176 220C186 170 214 140 236 116M336 220C326 170 298 140 276 116" fill="none"
stroke="#ff7d7d" stroke-opacity=".25" stroke-width="6" stroke-linecap="round"/>
<path d="M256 132C296 158 328 204 328 262C328 312 304 344 256 366C208 344 184 312 184 262C184 204
216 158 256 132Z" fill="url(#dark)" stroke="url(#trim)" stroke-width="9" stroke-linejoin="round"/>
<circle cx="256" cy="122" r="19" fill="#5a0a1c" stroke="url(#trim)" stroke-width="6"/>
<circle cx="256" cy="122" r="6" fill="#ffd873"/>"""

FACE = mirrored(
    """<circle cx="224" cy="244" r="38" fill="url(#gaze)"/>
<path d="M196 232C214 228 238 238 246 254C226 264 204 256 196 232Z" fill="#ffe9a8"/>
<path d="M186 220C208 208 236 216 248 238C228 226 208 224 186 220Z" fill="#e7dcd3"/>"""
) + mirrored(
    """<path d="M256 276C238 268 206 280 190 312C196 352 222 392 256 424Z"
fill="url(#beard)"/>
<path d="M256 276C236 266 208 276 192 306C216 300 240 304 256 292Z" fill="#fffaf2"/>
<path d="M206 322C214 346 226 366 240 380M224 312C230 330 238 344 246 352" fill="none"
stroke="#b7a597" stroke-width="4" stroke-linecap="round"/>"""
)

FLASK = """<circle cx="256" cy="388" r="96" fill="url(#fire)"/>
<path d="M238 318H274V342C300 350 316 372 316 396C316 430 290 454 256 454C222 454 196 430 196
396C196 372 212 350 238 342Z" fill="url(#brew)" stroke="#fff6df" stroke-width="6"/>
<path d="M203 388C222 378 238 398 256 390C274 382 290 380 309 388C312 424 288 448 256 448C224 448
200 424 203 388Z" fill="url(#gold)"/>
<rect x="229" y="306" width="54" height="15" rx="7" fill="#fff6df" stroke="#8a5a1a"
stroke-width="3"/>
<path d="M281 400C271 426 258 436 246 436C232 436 227 427 227 418C227 408 233 400 246 400C260 400
266 420 284 434" fill="none" stroke="#6b2300" stroke-width="8" stroke-linecap="round"/>
<g fill="#ffdf8a"><circle cx="244" cy="372" r="5"/><circle cx="264" cy="360" r="4"/>
<circle cx="253" cy="342" r="3"/><circle cx="272" cy="376" r="3"/></g>
<path d="M210 384C213 368 222 360 232 355" fill="none" stroke="#fff" stroke-opacity=".8"
stroke-width="6" stroke-linecap="round"/>"""

SLEEVES = mirrored(
    """<path d="M84 480C96 414 138 386 182 394L216 480Z" fill="#7d1228"/>
<path d="M176 392L208 480" stroke="url(#trim)" stroke-width="10"/>"""
)
HANDS = mirrored(
    """<path d="M176 398C190 386 206 390 214 400C222 410 212 416 204 412C214 418 218 428 210
432C220 440
212 450 202 446C210 454 200 460 194 456Z" fill="#cf9473" stroke="#8a4f36" stroke-width="3"/>"""
)

ALCHEMIST = Figure(
    rim=star(8, 238, 204),
    field=star(8, 206, 176),
    ground=("#4a1a1f", "#17070a"),
    metal=("#fff2b8", "#e0a526", "#7a4a08"),
    inside=("#8e1f2f", "#2a0611"),
    scene=CIRCLE,
    bust=CLOAK + HOOD + FACE + SLEEVES,
    over=FLASK + HANDS,
    defs=linear("cloth", "#a81e35", "#4a0818")
    + linear("dark", "#1a0509", "#2b0a10")
    + linear("trim", "#ffeaa0", "#c98a1c")
    + linear("beard", "#fbf3ea", "#cbb9aa")
    + linear("brew", "#7a2a12", "#3a0d08")
    + linear("gold", "#ffe27a", "#f08a1d")
    + glow("fire", "#ffb02e")
    + glow("gaze", "#ff9d1f"),
)
