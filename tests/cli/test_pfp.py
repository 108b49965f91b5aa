"""`mega pfp render`: the picture again, from what the metadata says."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from consumers.pfp import generate, metadata
from tests.cli.terminal import Mega

SEED = sha256(b"a pfp").digest()
mega = Mega({})


def test_the_seed_of_the_metadata_gives_the_picture_again(tmp_path: Path):
    portrait = generate(SEED)
    told = json.loads(metadata(SEED, name="MPFP #1", image_uri="ar://x"))
    file = tmp_path / "again.png"
    said = mega("pfp", "render", told["properties"]["seed"], str(file))
    assert said.status == 0
    assert file.read_bytes() == portrait.png
    assert all(trait.value in said.out for trait in portrait.traits)


def test_json_names_the_seed_the_traits_and_the_hash(tmp_path: Path):
    file = tmp_path / "again.png"
    said = mega("pfp", "render", "0x" + SEED.hex().upper(), str(file), "--json").json
    assert said["seed"] == SEED.hex()
    assert said["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert said["traits"] == {trait.kind: trait.value for trait in generate(SEED).traits}


@pytest.mark.parametrize("text", ["", "hello", SEED.hex()[:-1], SEED.hex() + "00"])
def test_what_is_no_seed_is_refused_with_what_one_looks_like(text, tmp_path: Path):
    file = tmp_path / "none.png"
    said = mega("pfp", "render", text, str(file))
    assert said.status == 2
    assert "64" in said.err and "properties.seed" in said.err
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path):
    said = mega("pfp", "render", SEED.hex(), str(tmp_path / "nowhere" / "x.png"))
    assert said.status == 1
    assert "cannot be written" in said.out and "folder that exists" in said.out
