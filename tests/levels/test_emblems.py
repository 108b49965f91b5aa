"""Each level has a picture of its own, and each token metadata, that come out the same anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from uuid import UUID
from xml.etree import ElementTree

import pytest

from consumers.levels.emblem import FIGURES, emblem
from consumers.levels.token import image_cid, metadata, sealed
from domain.levels import LEVELS_MAX, NAMES

UPGRADE = str(UUID("6f1c2d3e-0000-4000-8000-00000000000a"))
ALL = range(1, LEVELS_MAX + 1)
SVG = "{http://www.w3.org/2000/svg}"
DRAWN_WITH = {"title", "defs", "linearGradient", "radialGradient", "stop", "clipPath", "g", "path"}
DRAWN_WITH |= {"svg", "rect", "circle", "ellipse"}
# Tokens name these pictures: a new drawing is a new CID for the tokens that come, never by chance.
CIDS = {
    1: "bafkreic5un2ututjb36qph7ezthm2csh6rgxnuilo5qby4ww6bwttw542u",
    2: "bafkreihaptmjlmgyyc63w6xpogc2vyo7pqwffnqwu5jejudbhgv4nr3n7u",
    3: "bafkreid5i4aylbakbt7hszw5lnv64rmwwgkwmd3bm7sxt6xxfuipxsus64",
    4: "bafkreiafjre34frkbwsf74tttbg3mgjkdlndbebuhkl4h7ybcdlo4epcty",
    5: "bafkreidomxehn5lzxobt7ldls4qgevlal32slm6ii7r4dp2yxk7wgfrdmm",
}


def cid(content: bytes) -> str:
    """Of a file of one leaf, reckoned here: version 1, raw, SHA-256."""
    written = b"\x01\x55\x12\x20" + hashlib.sha256(content).digest()
    return "b" + base64.b32encode(written).decode().lower().rstrip("=")


@pytest.mark.parametrize("level", NAMES)
def test_the_picture_of_a_named_level_is_the_one_that_its_tokens_name(level: int) -> None:
    assert cid(emblem(level)) == CIDS[level]


def test_another_process_draws_the_same() -> None:
    code = "import sys; from consumers.levels import sealed; print(sealed(7, sys.argv[1])[1])"
    told = subprocess.run(
        (sys.executable, "-c", code, UPGRADE),
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert told.stdout.strip() == sealed(7, UPGRADE)[1]


def test_no_two_levels_look_alike() -> None:
    assert len({emblem(level) for level in ALL}) == LEVELS_MAX
    named = FIGURES.values()
    assert len({tuple(figure.rim) for figure in named}) == len(NAMES)
    assert len({figure.metal for figure in named}) == len(NAMES)
    assert len({figure.bust for figure in named}) == len(NAMES)


@pytest.mark.parametrize("level", [*NAMES, 6, LEVELS_MAX, 1_234_567_890])
def test_a_picture_is_whole_and_needs_nothing_else(level: int) -> None:
    text = emblem(level).decode()
    root = ElementTree.fromstring(text)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= DRAWN_WITH
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#(\w+)\)", text)) <= set(ids)
    assert "url(" not in re.sub(r"url\(#\w+\)", "", text) and "href" not in text
    assert (root.get("viewBox"), len(text) < 16_000) == ("0 0 512 512", True)


@pytest.mark.parametrize("level", [0, -1])
def test_levels_count_from_one(level: int) -> None:
    with pytest.raises(ValueError, match=f"no level {level}"):
        sealed(level, UPGRADE)


@pytest.mark.parametrize("level", [1, 5, 6, LEVELS_MAX])
def test_metadata_is_one_canonical_text_with_its_own_cid(level: int) -> None:
    text, address = sealed(level, UPGRADE)
    assert address == cid(text.encode())
    canonical = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert text == canonical and len(text) < 1_000
    assert image_cid(text) == cid(emblem(level))


def test_metadata_says_what_wallets_show_and_nothing_of_the_pass() -> None:
    said = json.loads(metadata(2, UPGRADE))
    image = f"ipfs://{CIDS[2]}"
    assert (said["name"], said["symbol"], said["image"]) == (
        "Quant Ape #6f1c2d3e",
        "MEGALVL",
        image,
    )
    assert {each["trait_type"]: each["value"] for each in said["attributes"]} == {
        "Level": 2,
        "Name": "Quant Ape",
    }
    assert said["properties"]["files"][0]["uri"] == image
    assert set(said) == {"name", "symbol", "description", "image", "attributes", "properties"}
    assert set(said["properties"]) == {"category", "files", "upgrade_id"}


def test_two_tokens_of_a_level_have_one_picture_and_metadata_of_their_own() -> None:
    (one, first), (two, second) = (sealed(3, str(UUID(int=number))) for number in (1, 2))
    assert first != second and image_cid(one) == image_cid(two)


@pytest.mark.parametrize("text", ["{}", '{"image":"https://a.example/b.png"}'])
def test_metadata_without_a_picture_in_ipfs_is_no_metadata_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match="no picture"):
        image_cid(text)
