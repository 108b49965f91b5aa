"""A portrait follows from its seed, byte for byte; these hashes hold for every machine.

A change of a drawing changes them: then run `python -m consumers.pfp.sheet` too.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consumers.pfp import Trait, generate, metadata

ROOT = Path(__file__).parents[2]
SEEDS = [sha256(str(number).encode()).digest() for number in range(12)]
BYTES = {
    0: "73a8bbac09e4edb04aa8ce662f3ea462eaf600d3f1195e37fe21cd51adbab368",
    7: "379f546c7db149fa0b2a63242cc56363dcde07845568da6c67bdfc29779ebbd0",
}
DOTS = {
    0: "9fcdf921a742710f00ae7b1005adb34c53e0c89ba3c743310dfb74c6836fad33",
    7: "37ef70dde720a315f15a5cdaa7b7c8f07167a503feff8e94946661953c3feb86",
}


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    picture.load()
    return picture


@pytest.mark.parametrize("number", BYTES)
def test_a_seed_gives_the_same_bytes_and_the_same_pixels_as_ever(number):
    png = generate(SEEDS[number]).png
    assert sha256(png).hexdigest() == BYTES[number]
    assert sha256(opened(png).convert("RGB").tobytes()).hexdigest() == DOTS[number]


def test_another_process_draws_the_same():
    drawn = subprocess.run(
        [sys.executable, "-c", HASHING, SEEDS[3].hex()],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "17"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert drawn.stdout.strip() == sha256(generate(SEEDS[3]).png).hexdigest()


HASHING = """
import sys
from hashlib import sha256
from consumers.pfp import generate
print(sha256(generate(bytes.fromhex(sys.argv[1])).png).hexdigest())
"""


def test_portraits_are_whole_pictures_of_512_that_differ_and_are_cheap_to_keep():
    portraits = [generate(seed) for seed in SEEDS]
    for portrait in portraits:
        picture = opened(portrait.png)
        assert (picture.format, picture.size) == ("PNG", (512, 512))
        assert len(np.unique(np.asarray(picture))) > 100
        assert len(portrait.png) < 150_000
    assert len({portrait.png for portrait in portraits}) == len(SEEDS)


def test_pictures_of_the_same_traits_differ_in_their_specks():
    from consumers.pfp.drawing import drawn

    traits = generate(SEEDS[0]).traits
    assert (drawn(traits, SEEDS[0]) != drawn(traits, SEEDS[1])).any()
    assert (drawn(traits, SEEDS[0]) == drawn(traits, SEEDS[0])).all()


def test_a_png_holds_nothing_but_its_picture():
    png = generate(SEEDS[0]).png
    kinds, at = [], 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        kinds.append(png[at + 4 : at + 8])
        at += size + 12
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match="32 bytes"):
        generate(bytes(length))
    with pytest.raises(ValueError, match="32 bytes"):
        metadata(bytes(length), name="MPFP #1", image_uri="ar://picture")


def test_the_metadata_names_the_traits_and_the_seed_and_is_canonical():
    told = metadata(SEEDS[0], name="MPFP #1", image_uri="ar://picture")
    content = json.loads(told)
    assert told == json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    assert (content["name"], content["symbol"]) == ("MPFP #1", "MPFP")
    assert content["image"] == "ar://picture"
    assert content["properties"]["files"] == [{"type": "image/png", "uri": "ar://picture"}]
    assert content["properties"]["category"] == "image"
    assert bytes.fromhex(content["properties"]["seed"]) == SEEDS[0]
    told_traits = [Trait(each["trait_type"], each["value"]) for each in content["attributes"]]
    assert tuple(told_traits) == generate(SEEDS[0]).traits
