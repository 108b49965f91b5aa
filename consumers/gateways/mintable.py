"""A picture small enough to be minted: the Geoplets contract keeps its base64 on the chain.

Sharp and small: the largest of a few sizes at which the picture still looks like itself, at the
best quality that fits. The same picture always gives the same bytes.
"""

from __future__ import annotations

import asyncio
import io

from PIL import Image, ImageOps

from consumers.gateways.ports import Picture

LARGEST_BYTES = 18_432
"""24,576 bytes of base64: "Image too large (24KB max)" says the contract beyond."""

SIDES = (512, 448, 384, 320, 256, 192, 128, 64)
GOOD_QUALITY, BEST_QUALITY = 60, 95


async def mintable(picture: Picture) -> Picture:
    """`picture`, which was decoded before, as WebP of at most `LARGEST_BYTES`, off the loop."""
    return await asyncio.to_thread(_mintable, picture.content)


def _mintable(content: bytes) -> Picture:
    with Image.open(io.BytesIO(content)) as opened:
        whole = ImageOps.exif_transpose(opened).convert(_mode(opened))
    for side in SIDES:
        scaled = whole.copy()
        scaled.thumbnail((side, side), Image.Resampling.LANCZOS)
        # The last size is so small that whatever it takes to fit has to do.
        worst = GOOD_QUALITY if side != SIDES[-1] else 0
        if found := _best(scaled, worst):
            return Picture(found, "image/webp", scaled.width, scaled.height)
    raise AssertionError("64 by 64 pixels fit into 18 KB at some quality")


def _best(image: Image.Image, worst: int) -> bytes | None:
    """The bytes of the best quality that fits; None when not even `worst` does."""
    found = _webp(image, worst)
    if len(found) > LARGEST_BYTES:
        return None
    low, high = worst, BEST_QUALITY
    while low < high:
        quality = (low + high + 1) // 2
        tried = _webp(image, quality)
        if len(tried) <= LARGEST_BYTES:
            low, found = quality, tried
        else:
            high = quality - 1
    return found


def _webp(image: Image.Image, quality: int) -> bytes:
    """Without the colour profile and the notes of the original, which may be longer than it."""
    written = io.BytesIO()
    image.save(
        written, "WEBP", quality=quality, alpha_quality=quality, method=4, icc_profile=b"", exif=b""
    )
    return written.getvalue()


def _mode(image: Image.Image) -> str:
    return "RGBA" if image.has_transparency_data else "RGB"
