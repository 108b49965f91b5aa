"""An indexed PNG of the fewest chunks: IHDR, PLTE, IDAT, IEND; no filter, no word of its maker."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from consumers.pfp.deflate import compressed

SIGNATURE = b"\x89PNG\r\n\x1a\n"
DEPTH, INDEXED, NO_FILTER = 8, 3, 0


def png(
    indices: NDArray[np.uint8], palette: NDArray[np.uint8], steps: Sequence[tuple[int, int]]
) -> bytes:
    """`steps`: by how many (columns, rows) back the picture may repeat itself."""
    height, width = indices.shape
    rows = np.insert(indices, 0, NO_FILTER, axis=1)
    distances = [across + down * (width + 1) for across, down in steps]
    head = struct.pack(">IIBBBBB", width, height, DEPTH, INDEXED, 0, 0, 0)
    return b"".join(
        (
            SIGNATURE,
            chunk(b"IHDR", head),
            chunk(b"PLTE", palette.tobytes()),
            chunk(b"IDAT", compressed(rows.tobytes(), distances)),
            chunk(b"IEND", b""),
        )
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc32(kind + content))
    )
