"""Many portraits on one picture: `python -m consumers.pfp.sheet FILE`, as docs/pfp.png was made."""

from __future__ import annotations

import io
import sys
from hashlib import sha256

from PIL import Image

from consumers.pfp.portrait import generate

COLUMNS, ROWS, SIDE = 6, 4, 192


def sheet() -> Image.Image:
    """The portraits of the seeds sha256("0"), sha256("1") …"""
    made = Image.new("RGB", (COLUMNS * SIDE, ROWS * SIDE))
    for number in range(COLUMNS * ROWS):
        seed = sha256(str(number).encode()).digest()
        portrait = Image.open(io.BytesIO(generate(seed).png)).convert("RGB")
        small = portrait.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        made.paste(small, (number % COLUMNS * SIDE, number // COLUMNS * SIDE))
    return made


if __name__ == "__main__":
    sheet().quantize(256, dither=Image.Dither.NONE).save(sys.argv[1], "PNG", optimize=True)
