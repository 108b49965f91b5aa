"""Bytes that claim to be a picture, and whether they are one, whole and of a sane size.

A provider's answer counts as a picture only after every pixel was decoded: a file that is cut has
a perfect header (spec `providers.md` §2, row 6).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
import re

from PIL import Image, UnidentifiedImageError

from consumers.gateways.ports import Picture, TryAgain, WillNotWork

FORMATS = ("PNG", "JPEG", "WEBP")
# A JPEG with more pictures behind its first, as telephones make them, is called MPO.
TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
MAX_PIXELS = 4096 * 4096
MAX_SCANS, MAX_SEGMENTS = 64, 5_000
# What Pillow's decoders raise on damaged data; SyntaxError is its word for a broken PNG.
DAMAGED = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError)
_marker = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd8])")
_SOS, _EOI = b"\xda", b"\xd9"


async def decode_picture(content: bytes, *, vendor: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """The picture in `content`, decoded whole off the event loop.

    Damaged or no picture: `TryAgain`, the vendor's next answer may be whole. A format or a size
    that we do not store: `WillNotWork`.
    """
    return await asyncio.to_thread(_decode, content, vendor, max_pixels)


def decode_base64(text: object, *, vendor: str) -> bytes:
    """Strict base64; `TryAgain` when it is cut or not base64 at all."""
    if not isinstance(text, str) or not text:
        raise TryAgain(f"{vendor}: the answer has no base64 text")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise TryAgain(f"{vendor}: the base64 text is damaged") from error


def digest(content: bytes) -> str:
    """SHA-256 in lower case hex: a stored picture's name and its proof."""
    return hashlib.sha256(content).hexdigest()


def picture_key(prefix: str, picture: Picture) -> str:
    """`<prefix>/<sha256>.<ending>`, the content-addressed key of `providers.md` §8."""
    return f"{prefix}/{digest(picture.content)}.{ENDINGS[picture.content_type]}"


def _decode(content: bytes, vendor: str, max_pixels: int) -> Picture:
    if content.startswith(b"\xff\xd8") and not _few_scans(content):
        raise TryAgain(f"{vendor}: the picture has more scans than a picture has")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as probe:
            width, height, kind = probe.width, probe.height, probe.format or ""
            if width * height > max_pixels:
                raise WillNotWork(f"{vendor}: a picture of {width}x{height} pixels is too large")
            probe.verify()
        # verify() reads checksums only; decoding is what finds a cut JPEG or WebP.
        with Image.open(io.BytesIO(content), formats=FORMATS) as whole:
            whole.load()
    except Image.DecompressionBombError as error:
        raise WillNotWork(f"{vendor}: the picture is too large") from error
    except DAMAGED as error:
        raise TryAgain(f"{vendor}: the picture does not decode ({type(error).__name__})") from error
    return Picture(content=content, content_type=TYPES[kind], width=width, height=height)


def _few_scans(content: bytes) -> bool:
    """Each scan of a JPEG costs a pass over all of the picture, and may be a few bytes long: of
    thousands, a small file is decoded for minutes. A picture has ten or so."""
    at_byte, scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        found = _marker.search(content, at_byte)
        if found is None or found[1] == _EOI:
            return True
        scans += found[1] == _SOS
        if scans > MAX_SCANS:
            return False
        at_byte = found.end() + int.from_bytes(content[found.end() : found.end() + 2])
    return False
