"""ANS-104 data items signed with a Solana key: what Irys stores. Spec `providers.md` §7.

The signature covers eight elements, the type of the signature among them: the standard's text
leaves that one out, every implementation has it. ed25519 is deterministic, so that the same item
signed again is the same bytes and the same id.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

ED25519 = 2
SIGNATURE_BYTES, KEY_BYTES = 64, 32
MAX_TAGS, MAX_TAG_NAME, MAX_TAG_VALUE = 128, 1024, 3072

Tags = Sequence[tuple[str, str]]
Chunk = bytes | Sequence["Chunk"]


class MalformedItem(ValueError):
    """These bytes are no data item that a Solana key can have signed."""


@dataclass(frozen=True, slots=True)
class DataItem:
    """`owner` is the signer's public key, `tag_bytes` the tags as they are signed (Avro); `target`
    and `anchor` are 32 bytes, or empty for none."""

    owner: bytes
    data: bytes
    tag_bytes: bytes = b""
    anchor: bytes = b""
    target: bytes = b""
    signature: bytes = b""

    @property
    def id(self) -> str:
        return base64url(hashlib.sha256(self.signature).digest())

    @property
    def tags(self) -> list[tuple[str, str]]:
        return read_tags(self.tag_bytes)

    @property
    def message(self) -> bytes:
        """What is signed."""
        kind = str(ED25519).encode()
        fields = [self.owner, self.target, self.anchor, self.tag_bytes, self.data]
        return deep_hash([b"dataitem", b"1", kind, *fields])

    @property
    def is_authentic(self) -> bool:
        signature, owner = Signature.from_bytes(self.signature), Pubkey.from_bytes(self.owner)
        return bool(signature.verify(owner, self.message))

    def signed_by(self, key: Keypair) -> DataItem:
        return replace(self, signature=bytes(key.sign_message(self.message)))

    def encode(self) -> bytes:
        head = struct.pack("<H", ED25519) + self.signature + self.owner
        optional = b"".join(b"\1" + part if part else b"\0" for part in (self.target, self.anchor))
        sizes = struct.pack("<QQ", len(self.tags), len(self.tag_bytes))
        return head + optional + sizes + self.tag_bytes + self.data


def decode(raw: bytes) -> DataItem:
    """The item in `raw`; MalformedItem when it is none. Whether its signature is good is for
    `is_authentic` to say."""
    reader = _Reader(raw)
    if reader.number("<H") != ED25519:
        raise MalformedItem("the signature is not of type 2 (ed25519)")
    signature, owner = reader.take(SIGNATURE_BYTES), reader.take(KEY_BYTES)
    target, anchor = reader.optional(), reader.optional()
    count, size = reader.number("<Q"), reader.number("<Q")
    tag_bytes = reader.take(size)
    if len(read_tags(tag_bytes)) != count:
        raise MalformedItem("the number of tags is another one than announced")
    return DataItem(owner, reader.rest(), tag_bytes, anchor, target, signature)


def deep_hash(chunk: Chunk) -> bytes:
    """Arweave's hash of bytes and of lists of what it can hash, 48 bytes."""
    if isinstance(chunk, bytes):
        return _sha384(_sha384(b"blob%d" % len(chunk)) + _sha384(chunk))
    told = _sha384(b"list%d" % len(chunk))
    for inner in chunk:
        told = _sha384(told + deep_hash(inner))
    return told


def write_tags(tags: Tags) -> bytes:
    """An Avro array of {name: string, value: string} in one block; nothing for no tags."""
    if not tags:
        return b""
    texts = (text.encode() for tag in tags for text in tag)
    return _long(len(tags)) + b"".join(_long(len(text)) + text for text in texts) + b"\0"


def read_tags(written: bytes) -> list[tuple[str, str]]:
    """MalformedItem when these are no tags, or more or longer ones than the standard allows."""
    if not written:
        return []
    reader = _Reader(written)
    tags: list[tuple[str, str]] = []
    while count := reader.long():
        if count < 0:  # Avro: then the block's size in bytes follows
            reader.long()
        if len(tags) + abs(count) > MAX_TAGS:
            raise MalformedItem(f"there are more than {MAX_TAGS} tags")
        tags += [(reader.text(MAX_TAG_NAME), reader.text(MAX_TAG_VALUE)) for _ in range(abs(count))]
    if reader.rest():
        raise MalformedItem("there are bytes behind the tags")
    return tags


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, size: int) -> bytes:
        taken = self._raw[self._at : self._at + size] if size >= 0 else b""
        if len(taken) != size:
            raise MalformedItem("it ends too early")
        self._at += size
        return taken

    def number(self, layout: str) -> int:
        (value,) = struct.unpack(layout, self.take(struct.calcsize(layout)))
        return int(value)

    def optional(self) -> bytes:
        match self.take(1):
            case b"\0":
                return b""
            case b"\1":
                return self.take(KEY_BYTES)
        raise MalformedItem("a field is neither there nor absent")

    def long(self) -> int:
        """Avro's zigzag integer of 64 bits at most."""
        value = 0
        for shift in range(0, 70, 7):
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
        raise MalformedItem("a number has more than 64 bits")

    def text(self, longest: int) -> str:
        size = self.long()
        if size > longest:
            raise MalformedItem(f"a tag's text is longer than {longest} bytes")
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as error:
            raise MalformedItem("a tag's text is not UTF-8") from error

    def rest(self) -> bytes:
        return self._raw[self._at :]


def _long(value: int) -> bytes:
    """Avro's form of a number that is not negative."""
    value <<= 1
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _sha384(raw: bytes) -> bytes:
    return hashlib.sha384(raw).digest()
