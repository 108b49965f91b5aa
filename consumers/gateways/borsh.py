"""Borsh, the layout of Anchor programs' arguments: little endian, lengths as u32, options as a byte
0 or 1 before the value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from solders.pubkey import Pubkey

Value = TypeVar("Value")


def u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def sized(content: bytes) -> bytes:
    return u32(len(content)) + content


def text(value: str) -> bytes:
    return sized(value.encode())


def option(content: bytes | None) -> bytes:
    return b"\0" if content is None else b"\1" + content


@dataclass(slots=True)
class Reader:
    """Takes values from the front of `content`; ValueError when there is no such value."""

    content: bytes
    at: int = 0

    def take(self, length: int) -> bytes:
        taken = self.content[self.at : self.at + length]
        if len(taken) < length:
            raise ValueError("the data is too short")
        self.at += length
        return taken

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "little")

    def flag(self) -> bool:
        value = self.number(1)
        if value > 1:
            raise ValueError(f"{value} is neither false nor true")
        return bool(value)

    def key(self) -> Pubkey:
        return Pubkey.from_bytes(self.take(32))

    def sized(self) -> bytes:
        return self.take(self.number(4))

    def text(self) -> str:
        return self.sized().decode()

    def option(self, read: Callable[[], Value]) -> Value | None:
        return read() if self.flag() else None

    def end(self) -> None:
        if self.at != len(self.content):
            raise ValueError("the data is too long")
