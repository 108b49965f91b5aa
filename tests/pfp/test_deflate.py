"""What our deflate writes, zlib reads."""

from __future__ import annotations

import zlib
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.pfp.colours import indexed
from consumers.pfp.deflate import DEEPEST, code_sizes, compressed

CONTENTS = {
    "nothing": b"",
    "one byte": b"a",
    "one letter": b"a" * 1_000,
    "two letters": b"ab" * 3_000,
    "noise": Random(1).randbytes(5_000),
    "a period": Random(2).randbytes(513) * 20,
    "every byte": bytes(range(256)) * 3,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_zlib_reads_what_was_written(name):
    assert zlib.decompress(compressed(CONTENTS[name], (1, 4, 513, 32_768))) == CONTENTS[name]


@given(st.lists(st.sampled_from([b"\0", b"\1\2\3\4", b"abcdefgh", b"\xff" * 40]), max_size=60))
@settings(max_examples=40, deadline=None)
def test_zlib_reads_whatever_was_written(parts):
    content = b"".join(parts)
    assert zlib.decompress(compressed(content, (1, 2, 4, 8, 24_577))) == content


def test_repetitions_at_the_named_distances_cost_next_to_nothing():
    content = CONTENTS["a period"]
    assert len(compressed(content, (513,))) < 1_000 < 9_000 < len(compressed(content, (4,)))


def test_no_code_is_deeper_than_the_format_allows():
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    sizes = code_sizes(np.array(fibonacci))
    assert sizes.max() <= DEEPEST
    assert sum(2.0**-size for size in sizes.tolist()) == 1


def test_few_colours_stay_what_they_are_within_a_step():
    picture = np.array([[[0, 0, 0], [255, 0, 64], [255, 0, 64]]], np.uint8)
    indices, palette = indexed(picture)
    assert len(palette) == 2
    assert np.abs(palette[indices].astype(int) - picture).max() <= 2
