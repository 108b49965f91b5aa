"""The CID that IPFS gives a file, so that it is known before the file is sent.

Version 1 with raw leaves, as `ipfs add --cid-version=1` of kubo makes it: leaves of 256 KiB, 174 of
them below a node (UnixFS in dag-pb), as many levels as it takes. A file of one leaf is that leaf.
Equal to npm `ipfs-unixfs-importer` and PyPI `aleph-cid` (tests/gateways/test_cid.py).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LEAF_BYTES = 256 * 1024
LINKS_PER_NODE = 174
CHUNKER = f"size-{LEAF_BYTES}"
"""The leaves' size in kubo's words."""

RAW, DAG_PB = b"\x55", b"\x70"
VERSION_1, SHA2_256 = b"\1", b"\x12\x20"
FILE = 2
VARINT, BYTES = 0, 2


@dataclass(frozen=True, slots=True)
class _Block:
    """`content` are the bytes of the file below it, `stored` those of all its blocks."""

    cid: bytes
    content: int
    stored: int


def cid_of(content: bytes) -> str:
    """`b` and base32: 59 characters."""
    level = [_leaf(content[at : at + LEAF_BYTES]) for at in range(0, len(content) or 1, LEAF_BYTES)]
    while len(level) > 1:
        level = [_node(level[at : at + LINKS_PER_NODE]) for at in _starts(level)]
    return "b" + base64.b32encode(level[0].cid).decode().rstrip("=").lower()


def _starts(level: Sequence[_Block]) -> range:
    return range(0, len(level), LINKS_PER_NODE)


def _leaf(content: bytes) -> _Block:
    return _Block(_cid(RAW, content), len(content), len(content))


def _node(below: Sequence[_Block]) -> _Block:
    size = sum(block.content for block in below)
    sizes = b"".join(_field(4, block.content) for block in below)
    unixfs = _field(1, FILE) + _field(3, size) + sizes
    links = (
        _field(1, block.cid) + _field(2, b"") + _field(3, block.stored)  # hash, name, size
        for block in below
    )
    # dag-pb writes the links (field 2) before the data (field 1).
    written = b"".join(_field(2, link) for link in links) + _field(1, unixfs)
    stored = len(written) + sum(block.stored for block in below)
    return _Block(_cid(DAG_PB, written), size, stored)


def _cid(codec: bytes, block: bytes) -> bytes:
    return VERSION_1 + codec + SHA2_256 + hashlib.sha256(block).digest()


def _field(number: int, value: int | bytes) -> bytes:
    """A field of protobuf."""
    if isinstance(value, int):
        return bytes([number << 3 | VARINT, *_varint(value)])
    return bytes([number << 3 | BYTES, *_varint(len(value))]) + value


def _varint(value: int) -> Iterator[int]:
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
