"""Portraits drawn by arithmetic: the same prompt, seed and size give the same PNG, byte for byte.

The figure is a role's bust before a halo, drawn small and scaled up, so a 1024x1024 picture costs
a fraction of the wall time a real provider takes.
"""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter, ImageFont

TYPE_OF = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
CANVAS = 1024
RGB = tuple[int, int, int]
Point = tuple[float, float]
Outline = Sequence[Point]


@dataclass(frozen=True, slots=True)
class Palette:
    """Five colours of one mood: sky top and bottom, light, cloth, skin."""

    top: RGB
    bottom: RGB
    light: RGB
    cloth: RGB
    skin: RGB


def paint(prompt: str, *, seed: int, width: int, height: int, output: str = "png") -> bytes:
    """The picture's file. `output` is `png`, `jpeg` or `webp`; width and height in pixels."""
    digest = hashlib.sha256(f"{prompt}\x00{seed}".encode()).digest()
    dice = random.Random(digest)
    palette = _palette(dice)
    canvas = _sky(palette, dice)
    _halo(canvas, palette, dice)
    _figure(canvas, palette, dice)
    _caption(canvas, palette, title_of(prompt), digest.hex()[:8])
    if (width, height) != canvas.size:
        canvas = _fit(canvas, width, height)
    file = io.BytesIO()
    if output == "png":
        canvas.save(file, "PNG", compress_level=1)
    else:
        canvas.save(file, output.upper(), quality=88)
    return file.getvalue()


def title_of(prompt: str) -> str:
    """The caption: what the prompt says after "of a", else its first words."""
    found = re.search(r"\bof (?:an?|the) ([^,.;:\n]+)", prompt, re.IGNORECASE)
    words = re.findall(r"[\w'-]+", found.group(1) if found else prompt)
    return " ".join(words[:3])[:26].upper() or "UNTITLED"


def _rgb(hue: float, saturation: float, value: float) -> RGB:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _palette(dice: random.Random) -> Palette:
    hue = dice.random()
    away = hue + dice.choice([0.08, 0.42, 0.5, 0.58])
    return Palette(
        top=_rgb(hue, 0.75, 0.20),
        bottom=_rgb(hue + 0.06, 0.62, 0.72),
        light=_rgb(away, 0.42, 1.0),
        cloth=_rgb(away + 0.04, 0.70, 0.52),
        skin=_rgb(0.02 + 0.07 * dice.random(), 0.28 + 0.3 * dice.random(), 0.96),
    )


def _mix(one: RGB, other: RGB, share: float) -> RGB:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _sky(palette: Palette, dice: random.Random) -> Image.Image:
    column = Image.new("RGB", (1, 64))
    for y in range(64):
        column.putpixel((0, y), _mix(palette.top, palette.bottom, (y / 63) ** 1.2))
    sky = column.resize((CANVAS, CANVAS), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(sky)
    for _ in range(90):
        star = _box(dice.uniform(0, CANVAS), dice.uniform(0, 700), dice.choice([1, 1, 2, 3]))
        draw.ellipse(star, fill=_mix(palette.top, palette.light, 0.65))
    base = 800
    for step in range(3):
        ridge = [(0.0, float(CANVAS))]
        phase = dice.uniform(0, 6)
        for x in range(0, CANVAS + 32, 32):
            wave = math.sin(x / 130 + phase) * 40 + math.sin(x / 47 + phase) * 16
            ridge.append((float(x), base + step * 60 + wave))
        ridge.append((float(CANVAS), float(CANVAS)))
        draw.polygon(ridge, fill=_mix(palette.bottom, palette.top, 0.25 + 0.25 * step))
    return sky


def _halo(canvas: Image.Image, palette: Palette, dice: random.Random) -> None:
    """Rays and rings behind the head; drawn at a quarter of the size, for they are blurred."""
    small = CANVAS // 4
    glow = Image.new("L", (small, small), 0)
    draw = ImageDraw.Draw(glow)
    cx, cy = small / 2, small * 0.40
    rays, turn = dice.choice([12, 16, 24]), dice.uniform(0, 1)
    for ray in range(rays):
        angle = (ray + turn) / rays * math.tau
        wide = math.pi / rays / 2
        edges = (angle - wide, angle + wide)
        ends = [(cx + 260 * math.cos(a), cy + 260 * math.sin(a)) for a in edges]
        draw.polygon([(cx, cy), *ends], fill=38)
    for radius in range(96, 40, -4):
        draw.ellipse(_box(cx, cy, radius), fill=38 + (96 - radius) * 2)
    glow = glow.filter(ImageFilter.GaussianBlur(2)).resize(canvas.size, Image.Resampling.BILINEAR)
    canvas.paste(Image.new("RGB", canvas.size, palette.light), mask=glow)
    ring = ImageDraw.Draw(canvas)
    ring.ellipse(_box(512, 410, 318), outline=palette.light, width=5)
    for dot in range(rays):
        angle = (dot + turn) / rays * math.tau
        x, y = 512 + 318 * math.cos(angle), 410 + 318 * math.sin(angle)
        ring.ellipse(_box(x, y, 9), fill=_mix(palette.light, (255, 255, 255), 0.4))


def _box(x: float, y: float, r: float) -> tuple[float, float, float, float]:
    return x - r, y - r, x + r, y + r


def _figure(canvas: Image.Image, palette: Palette, dice: random.Random) -> None:
    """Drawn twice as large and halved: smooth edges without an anti-aliasing library."""
    layer = Image.new("RGBA", (CANVAS * 3 // 2, CANVAS * 3 // 2), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    dark = _mix(palette.cloth, palette.top, 0.55)
    _body(draw, palette, dark, dice)
    _head(draw, palette, dark, dice)
    _crown(draw, palette, dark, dice)
    layer = layer.resize(canvas.size, Image.Resampling.BOX)
    shade = layer.getchannel("A").point([v // 3 for v in range(256)])
    canvas.paste((0, 0, 0), (14, 12), mask=shade)
    canvas.paste(layer, mask=layer.getchannel("A"))


def _polygon(draw: ImageDraw.ImageDraw, points: Outline, fill: RGB) -> None:
    draw.polygon([(x * 1.5, y * 1.5) for x, y in points], fill=fill)


def _ellipse(
    draw: ImageDraw.ImageDraw, x: float, y: float, rx: float, ry: float, fill: RGB
) -> None:
    draw.ellipse(((x - rx) * 1.5, (y - ry) * 1.5, (x + rx) * 1.5, (y + ry) * 1.5), fill=fill)


def _mirror(half: Outline) -> list[Point]:
    """A closed outline from its left half, top to bottom, around x = 512."""
    return [*half, *((CANVAS - x, y) for x, y in reversed(half))]


def _body(draw: ImageDraw.ImageDraw, palette: Palette, dark: RGB, dice: random.Random) -> None:
    wide = dice.uniform(285, 345)
    left = 512 - wide
    coat = [(470, 560), (left + wide / 4, 660), (left, 760), (left - 40, 1024)]
    _polygon(draw, _mirror(coat), dark)
    shirt = [(466, 590), (512 - wide * 0.55, 690), (512 - wide * 0.62, 1024)]
    _polygon(draw, _mirror(shirt), palette.cloth)
    _polygon(draw, _mirror([(462, 520), (458, 620), (512, 668)]), _mix(palette.skin, dark, 0.28))
    scarf = [(430, 596), (512, 760), (512, 850), (384, 640)]
    _polygon(draw, [(CANVAS - x, y) for x, y in scarf], palette.light)
    _polygon(draw, scarf, _mix(palette.light, dark, 0.25))
    sides = dice.choice([3, 4, 5, 6, 8])
    gem = _mix(palette.light, (255, 255, 255), 0.5)
    for radius, fill in ((50, dark), (36, gem), (18, palette.cloth)):
        turns = [i * math.tau / sides - math.pi / 2 for i in range(sides)]
        at = [(512 + radius * math.cos(a), 812 + radius * math.sin(a)) for a in turns]
        _polygon(draw, at, fill)


def _head(draw: ImageDraw.ImageDraw, palette: Palette, dark: RGB, dice: random.Random) -> None:
    jaw = dice.uniform(58, 96)
    outline = [(512.0, 262.0), (420.0, 285.0), (382.0, 360.0), (388.0, 450.0)]
    outline += [(512 - jaw, 545), (512 - jaw / 3, 575)]
    shade = _mix(palette.skin, dark, 0.22)
    _polygon(draw, _mirror(outline), palette.skin)
    _polygon(draw, [*((CANVAS - x, y) for x, y in outline), (512, 575)], shade)
    if dice.random() < 0.35:
        _visor(draw, palette, dark)
    else:
        _eyes(draw, dark)
    _polygon(draw, [(512, 425), (494, 482), (530, 482)], _mix(shade, dark, 0.18))
    smile = dice.uniform(-6, 12)
    mouth = [(480, 514), (512, 514 + smile), (544, 514), (512, 526 + smile)]
    _polygon(draw, mouth, _mix(dark, (160, 30, 50), 0.4))


def _visor(draw: ImageDraw.ImageDraw, palette: Palette, dark: RGB) -> None:
    _polygon(draw, _mirror([(396, 392), (404, 446), (480, 462), (512, 440)]), dark)
    glow = _mix(palette.light, (255, 255, 255), 0.35)
    _polygon(draw, [(420, 408), (604, 408), (596, 430), (428, 430)], glow)


def _eyes(draw: ImageDraw.ImageDraw, dark: RGB) -> None:
    for x in (458, 566):
        _ellipse(draw, x, 418, 25, 14, (250, 250, 250))
        _ellipse(draw, x, 418, 12, 13, dark)
        _ellipse(draw, x + 4, 413, 4, 4, (255, 255, 255))
        _polygon(draw, [(x - 32, 390), (x + 32, 386), (x + 30, 376), (x - 28, 378)], dark)


def _crown(draw: ImageDraw.ImageDraw, palette: Palette, dark: RGB, dice: random.Random) -> None:
    trim = _mix(palette.light, (255, 255, 255), 0.2)
    match dice.choice(["crown", "hood", "hat", "horns", "hair"]):
        case "crown":
            peaks = [(372, 330), (352, 190), (432, 262), (470, 160), (512, 250)]
            _polygon(draw, _mirror(peaks), trim)
            for x in (420, 512, 604):
                _ellipse(draw, x, 300, 13, 13, palette.cloth)
        case "hood":
            hood = [(512, 178), (390, 236), (330, 380), (350, 590), (420, 600), (396, 500)]
            _polygon(draw, _mirror([*hood, (388, 360), (440, 290)]), dark)
            edge = [(512, 178), (390, 236), (362, 310), (440, 290), (512, 272)]
            _polygon(draw, _mirror(edge), palette.cloth)
        case "hat":
            cone = [(400, 300), (470, 90), (545, 60), (530, 105), (624, 300)]
            _polygon(draw, cone, palette.cloth)
            _polygon(draw, [(400, 300), (470, 90), (545, 60), (490, 300)], dark)
            _ellipse(draw, 512, 306, 205, 34, palette.cloth)
            _polygon(draw, [(404, 272), (620, 272), (628, 304), (396, 304)], trim)
        case "horns":
            horn = [(110, 320), (170, 250), (175, 130), (120, 175), (40, 275)]
            for side in (1, -1):
                _polygon(draw, [(512 - side * x, y) for x, y in horn], trim)
            fringe = [(512, 238), (400, 270), (372, 350), (440, 312), (512, 330)]
            _polygon(draw, _mirror(fringe), dark)
        case _:
            hair = [(512, 212), (390, 246), (352, 360), (360, 480), (392, 430), (400, 340)]
            _polygon(draw, _mirror([*hair, (512, 318)]), dark)
            lock = [(420, 250), (640, 260), (660, 350), (520, 330)]
            _polygon(draw, lock, _mix(dark, palette.cloth, 0.4))


def _caption(canvas: Image.Image, palette: Palette, title: str, number: str) -> None:
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 900, CANVAS, CANVAS), fill=_mix(palette.top, (0, 0, 0), 0.45))
    draw.rectangle((0, 900, CANVAS, 905), fill=palette.light)
    size = 64
    while size > 24 and draw.textlength(title, ImageFont.load_default(size)) > 900:
        size -= 4
    draw.text((512, 956), title, palette.light, ImageFont.load_default(size), anchor="mm")
    note = ImageFont.load_default(18)
    draw.text(
        (512, 1004), f"no. {number}", _mix(palette.light, palette.top, 0.45), note, anchor="mm"
    )


def _fit(canvas: Image.Image, width: int, height: int) -> Image.Image:
    """Scaled to fit, the sides filled with the picture's own blurred edge."""
    side = min(width, height)
    scaled = canvas.resize((side, side), Image.Resampling.BILINEAR)
    if width == height:
        return scaled
    small = canvas.resize((64, 64)).filter(ImageFilter.GaussianBlur(6))
    page = small.resize((width, height), Image.Resampling.BILINEAR)
    page.paste(scaled, ((width - side) // 2, (height - side) // 2))
    return page
