"""Base58 as Bitcoin and Solana write bytes: each leading zero byte is a `1`."""

from __future__ import annotations

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}


def encode(content: bytes) -> str:
    letters = []
    number = int.from_bytes(content, "big")
    while number:
        number, value = divmod(number, 58)
        letters.append(ALPHABET[value])
    zeros = len(content) - len(content.lstrip(b"\0"))
    return ALPHABET[0] * zeros + "".join(reversed(letters))


def decode(text: str) -> bytes:
    """Raises ValueError for a letter that is not of the alphabet."""
    number = 0
    for letter in text:
        if letter not in _VALUES:
            raise ValueError(f"{letter!r} is no letter of base58")
        number = number * 58 + _VALUES[letter]
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
