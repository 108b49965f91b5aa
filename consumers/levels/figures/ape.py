"""Quant Ape: a gorilla in a suit, whose glasses show the market behind the viewer, in a hexagon of
jade."""

from __future__ import annotations

from consumers.levels.figures.figure import Figure
from consumers.levels.shapes import linear, many, mirrored

CHART = """<g stroke="#8affc1" stroke-opacity=".13" stroke-width="2">
<path d="M40 130H472M40 190H472 M40 250H472M40 310H472M40 370H472"/></g><g stroke-width="4">
<g stroke="#ff6b6b" fill="#ff6b6b" opacity=".75">
<path d="M84 268V352M144 244V320 M404 104V168"/>
<rect x="75" y="286" width="18" height="48"/>
<rect x="135" y="258" width="18" height="42"/>
<rect x="395" y="118" width="18" height="34"/></g>
<g stroke="#39e08b" fill="#39e08b" opacity=".8">
<path d="M114 226V318M174 140V250M374 96V200M434 76 V150"/>
<rect x="105" y="244" width="18" height="52"/>
<rect x="165" y="160" width="18" height="70"/>
<rect x="365" y="112" width="18" height="68"/>
<rect x="425" y="92" width="18" height="42"/></g></g>
<path d="M60 330L114 270L144 286L184 184L330 190L374 140L404 150L456 84" fill="none"
stroke="#e9fff3" stroke-width="4" stroke-opacity=".55" stroke-linejoin="round"/>"""

SUIT = (
    mirrored(
        """<path d="M84 452C92 384 160 352 226 346L256 452Z" fill="url(#suit)"/>
<path d="M204 346L176 372L202 394L190 408L256 456L236 350Z" fill="#2b3a5c"/>"""
    )
    + """<path d="M214 344L256 420L298 344Z" fill="#f4f7fb"/>
<path d="M243 366H269L265 384L278 432L256 456L234 432L247 384Z" fill="#1fae6a"/>
<path d="M247 384H265L262 372H250Z" fill="#0f7d48"/>"""
)

HEAD = (
    mirrored(
        """<circle cx="142" cy="236" r="30" fill="url(#fur)"/>
<circle cx="142" cy="238" r="17" fill="#8f6a57"/>"""
    )
    + """<path d="M256 84C306 84 360 128 366 212C370 300 326 366 256 366C186 366 142 300 146
212C152 128 206 84 256 84Z" fill="url(#fur)"/>
<path d="M256 84C306 84 360 128 366 212C370 300 326 366 256 366Z" fill="#000" fill-opacity=".16"/>
<path d="M206 118C224 100 240 96 252 98C240 106 232 116 226 130ZM260 100C276 100 288 106 298
118L276 128Z" fill="#5b626e" fill-opacity=".6"/>
<path d="M256 184C236 158 178 160 174 214C172 250 188 262 188 286C188 330 220 354 256 354C292 354
324 330 324 286C324 262 340 250 338 214C334 160 276 158 256 184Z" fill="url(#skin)"/>
<ellipse cx="256" cy="300" rx="64" ry="46" fill="#d9ae8f"/>
<path d="M256 184C276 158 334 160 338 214C340 250 324 262 324 286C324 330 292 354 256 354Z"
fill="#3a1f12" fill-opacity=".13"/>"""
)

FACE = (
    mirrored(
        """<path d="M172 206C176 172 232 164 254 192L250 208C232 186 196 186 178 214Z"
fill="#20242c"/>
<path d="M250 268C240 262 228 268 226 278C234 286 246 286 251 279Z" fill="#4d2f22"/>"""
    )
    + """<path d="M212 314C236 326 278 328 304 304" fill="none" stroke="#5a3626"
stroke-width="7" stroke-linecap="round"/>
<path d="M299 299q8 1 10 9" fill="none" stroke="#5a3626" stroke-width="5"
stroke-linecap="round"/>"""
)

GLASSES = (
    mirrored(
        """<path d="M178 222L148 214" stroke="#e8c25a" stroke-width="7"/>
<circle cx="213" cy="228" r="37" fill="url(#lens)" stroke="url(#wire)" stroke-width="7"/>"""
    )
    + """<path d="M248 222Q256 214 264 222" fill="none" stroke="#e8c25a" stroke-width="7"/>
<g fill="none" stroke="#4dffa6" stroke-width="5" stroke-linecap="round" stroke-linejoin="round">
<path d="M188 242L202 232L212 240L238 212M228 211H239V222"/>
<path d="M273 242L287 232L297 240L323 212M313 211H324V222"/></g><g fill="#fff" fill-opacity=".18">
<path d="M188 206Q206 190 226 196L190 234Q182 220 188 206Z"/>
<path d="M274 206Q292 190 312 196L276 234Q268 220 274 206Z"/></g>"""
)

APE = Figure(
    rim=many(6, 236),
    field=many(6, 200),
    ground=("#1f3a31", "#0a1612"),
    metal=("#d3ffe4", "#2fa36b", "#0b4a30"),
    inside=("#0f5a43", "#04231b"),
    scene=CHART,
    bust=SUIT + HEAD + FACE + GLASSES,
    defs=linear("fur", "#4a505c", "#1e222a")
    + linear("skin", "#c08f72", "#a87456")
    + linear("suit", "#22304f", "#111a30")
    + linear("lens", "#0d3b2b", "#04150f")
    + linear("wire", "#ffe9a6", "#c9962f"),
)
