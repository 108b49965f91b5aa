"""A portrait and its metadata, from nothing but 32 bytes.

What is guaranteed: the same seed gives the same traits, the same pixels and the same PNG, byte for
byte, on any machine and with any version of Python, NumPy and zlib: all is reckoned in whole
numbers, and the PNG is written here (see `crt`, `colours`, `deflate`). A change of any drawing
changes what seeds give; tokens keep the pictures that were stored for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from consumers.pfp.chance import SEED_BYTES
from consumers.pfp.colours import indexed
from consumers.pfp.crt import shown
from consumers.pfp.drawing import drawn
from consumers.pfp.png import png
from consumers.pfp.traits import Trait, chosen

SYMBOL = "MPFP"
CONTENT_TYPE = "image/png"
# Columns and rows back at which a shown picture repeats itself: its stripes, and its lines, which
# bend.
PERIODS = ((4, 0), (0, 4), (-4, 4), (4, 4), (0, 1))


@dataclass(frozen=True, slots=True)
class Portrait:
    """`png`: 512 × 512, indexed colours; `traits` without those that are absent."""

    png: bytes
    traits: tuple[Trait, ...]


def generate(seed: bytes) -> Portrait:
    """ValueError: the seed is not 32 bytes."""
    traits = _traits(seed)
    indices, palette = indexed(shown(drawn(traits, seed)))
    return Portrait(png(indices, palette, PERIODS), traits)


def metadata(seed: bytes, *, name: str, image_uri: str) -> bytes:
    """What a token's URI leads to (Metaplex's token metadata standard): JSON in UTF-8, its keys
    sorted, no spaces. `properties.seed` is the seed in hex, as `mega pfp render` takes it; the
    traits follow from it without a picture being drawn. ValueError: the seed is not 32 bytes."""
    traits = _traits(seed)
    kind = next(trait.value for trait in traits if trait.kind == "Kind")
    content = {
        "name": name,
        "symbol": SYMBOL,
        "description": f"{_one(kind)} on a cathode ray tube, drawn by MEGA from 32 bytes.",
        "image": image_uri,
        "attributes": [{"trait_type": trait.kind, "value": trait.value} for trait in traits],
        "properties": {
            "category": "image",
            "files": [{"type": CONTENT_TYPE, "uri": image_uri}],
            "seed": seed.hex(),
        },
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _traits(seed: bytes) -> tuple[Trait, ...]:
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
    return chosen(seed)


def _one(kind: str) -> str:
    """ "A cat", "An elf"."""
    return f"{'An' if kind[0] in 'AEIOU' else 'A'} {kind.lower()}"
