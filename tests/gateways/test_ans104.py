"""Data items equal to the bytes of Irys' and ArDrive's own libraries, and every damage is seen."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from solders.keypair import Keypair

from consumers.gateways.ans104 import (
    DataItem,
    MalformedItem,
    decode,
    deep_hash,
    read_tags,
    write_tags,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ans104.json").read_text())
GOLDEN = VECTORS["data_item"]
RAW = bytes.fromhex(GOLDEN["raw_hex"])
KEY = Keypair.from_base58_string(GOLDEN["secret_key_base58"])
PNG = [("Content-Type", "image/png")]


def golden() -> DataItem:
    """The recorded item, not signed yet."""
    return DataItem(
        owner=bytes(KEY.pubkey()),
        data=GOLDEN["data_utf8"].encode(),
        tag_bytes=write_tags([tuple(tag) for tag in GOLDEN["tags"]]),
        anchor=GOLDEN["anchor_utf8"].encode(),
        target=base64.urlsafe_b64decode(GOLDEN["target_b64url"] + "="),
    )


def item(**changes: bytes) -> DataItem:
    made = DataItem(bytes(KEY.pubkey()), b"content", write_tags(PNG), b"a" * 32)
    return replace(made, **changes).signed_by(KEY)


@pytest.mark.parametrize("vector", VECTORS["deep_hash"]["vectors"], ids=lambda v: v["hash"][:8])
def test_deep_hashes_are_the_recorded_ones(vector):
    listed = vector.get("input_list_hex")
    chunk = [bytes.fromhex(one) for one in listed] if listed else bytes.fromhex(vector["input_hex"])
    assert deep_hash(chunk).hex() == vector["hash"]


def test_a_signed_item_is_the_recorded_bytes():
    made = golden()
    assert made.tag_bytes.hex() == GOLDEN["raw_tags_hex"]
    assert made.message.hex() == GOLDEN["deep_hash_hex"]
    signed = made.signed_by(KEY)
    assert (signed.signature.hex(), signed.id) == (GOLDEN["signature_hex"], GOLDEN["id"])
    assert signed.encode() == RAW


def test_recorded_bytes_are_read_and_written_back():
    read = decode(RAW)
    assert read == golden().signed_by(KEY) and read.is_authentic
    assert read.tags == PNG and read.encode() == RAW


def test_an_item_without_target_anchor_and_tags_goes_there_and_back():
    bare = item(tag_bytes=b"", anchor=b"")
    assert decode(bare.encode()) == bare and bare.is_authentic and bare.tags == []


@pytest.mark.parametrize("field", ["data", "tag_bytes", "anchor", "target", "owner"])
def test_a_signature_holds_for_every_field(field):
    other = {
        "data": b"Content",
        "tag_bytes": write_tags([("Content-Type", "image/gif")]),
        "anchor": b"b" * 32,
        "target": b"t" * 32,
        "owner": bytes(Keypair.from_seed(b"\1" * 32).pubkey()),
    }
    assert item().is_authentic
    assert not replace(item(), **{field: other[field]}).is_authentic


def test_ids_follow_from_the_signature_and_so_from_key_content_tags_and_anchor():
    ids = {item().id, item(data=b"x").id, item(anchor=b"b" * 32).id, item(tag_bytes=b"").id}
    assert len(ids) == 4 and item().id == item().id


def test_tags_go_there_and_back_in_either_form_of_avro():
    tags = [("n" * 1024, "v" * 3072), ("π", ""), *PNG * 126]
    assert read_tags(write_tags(tags)) == tags
    # Two blocks, the first with its size in bytes.
    written = b"\x01\x08\x02a\x02b" + b"\x02\x02c\x02d" + b"\0"
    assert read_tags(written) == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize(
    "tags",
    [
        write_tags(PNG * 129),
        write_tags([("n" * 1025, "")]),
        write_tags([("", "v" * 3073)]),
        write_tags(PNG)[:-1],
        write_tags(PNG) + b"\0",
        b"\x02\x02\xff\x02a\0",
        b"\xff" * 11,
        b"\x02\x01",
    ],
    ids=["many", "long name", "long value", "cut", "more", "not UTF-8", "long number", "negative"],
)
def test_tags_that_are_none_are_refused(tags):
    with pytest.raises(MalformedItem):
        read_tags(tags)


@pytest.mark.parametrize("size", [0, 1, 65, 97, 98, 130, 163, 171, 179, 203])
def test_an_item_that_was_cut_is_refused(size):
    with pytest.raises(MalformedItem):
        decode(RAW[:size])


def test_other_signatures_flags_and_counts_are_refused():
    count = 2 + 64 + 32 + 33 + 33
    for at, byte in [(0, 1), (0, 3), (98, 2), (131, 7), (count, 2)]:
        damaged = bytearray(RAW)
        damaged[at] = byte
        with pytest.raises(MalformedItem):
            decode(bytes(damaged))
