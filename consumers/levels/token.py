"""What the URI of a level token leads to (Metaplex's token metadata standard).

It follows from the level and the attempt alone, so that its CID is known before the token is
minted, and it says nothing of the pass, its wallet or its volume.
"""

from __future__ import annotations

import json

from consumers.gateways.cid import cid_of
from consumers.levels.emblem import CONTENT_TYPE, emblem
from consumers.levels.shapes import SIZE
from domain.levels import level_name

SYMBOL = "MEGALVL"
SHORT_ID = 8
IPFS = "ipfs://"


def metadata(level: int, upgrade_id: str) -> str:
    """JSON with its keys sorted and no spaces, under 1,000 characters. ValueError: levels count
    from 1."""
    image = IPFS + cid_of(emblem(level))
    name = level_name(level)
    content = {
        "name": f"{name} #{upgrade_id[:SHORT_ID]}",
        "symbol": SYMBOL,
        "description": f"MEGA level {level}, {name}: earned by trading, burned for the next one.",
        "image": image,
        "attributes": [
            {"trait_type": "Level", "display_type": "number", "value": level},
            {"trait_type": "Name", "value": name},
        ],
        "properties": {
            "category": "image",
            "files": [{"type": CONTENT_TYPE, "uri": image, "width": SIZE, "height": SIZE}],
            "upgrade_id": upgrade_id,
        },
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sealed(level: int, upgrade_id: str) -> tuple[str, str]:
    """The metadata of a token and its CID: what `UpgradeRequested` and a compensation record."""
    text = metadata(level, upgrade_id)
    return text, cid_of(text.encode())


def image_cid(text: str) -> str:
    """The CID of the picture that a token's metadata names. ValueError: it names none."""
    image = json.loads(text).get("image", "")
    if not image.startswith(IPFS):
        raise ValueError("the metadata names no picture in IPFS")
    return str(image.removeprefix(IPFS))
