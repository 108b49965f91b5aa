"""Names what happened to the row that breaks the hash chain, as far as the rows left can tell.

Every case is decided by a hash that fits where it should not: the hash of a row that was swapped,
shifted by an insertion or moved up by a removal still belongs to its old place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

SHIFT_MAX = 1_000
Link = tuple[int, bytes, bytes]
"""Position, stored hash, and the rest of what is hashed: stream … event."""


@dataclass(frozen=True, slots=True)
class Broken:
    """`reason` begins with altered, removed, swapped or inserted. `certain`: a hash proves it."""

    position: int
    reason: str
    certain: bool = True


def digest(previous: bytes, position: int, body: bytes) -> bytes:
    return sha256(b"%b%d\n%b" % (previous, position, body)).digest()


def explain(last: int, previous: bytes, bad: Link, rest: Iterator[Link]) -> Broken:
    """`last` and `previous` are the position and hash before `bad`; `rest` are the rows after it.

    Reads as far into `rest` as it must: to the end, when nothing there explains the break.
    """
    at, stored, body = bad
    if at > last + 1:
        return Broken(last + 1, f"removed: {_span(last + 1, at - 1)} missing")
    if at <= last:
        return Broken(at, f"inserted: position {at} occurs twice")
    following = next(rest, None)
    if following is None:
        return Broken(
            at,
            "altered or inserted: this last row does not have the hash of its content, and no row"
            " follows that could tell which of the two",
            certain=False,
        )
    if digest(stored, at + 1, following[2]) == following[1]:
        # The next row confirms the hash, so the content was touched; but was it exchanged?
        kept = Broken(at, "altered: the next row confirms its hash, its content does not give it")
    elif digest(digest(previous, at, body), at + 1, following[2]) == following[1]:
        return Broken(at, "altered: its mg_hash, for the next row follows from its content")
    else:
        kept = _renumbered(bad, following) or Broken(
            at, "altered: neither its content nor the next row fits its hash", certain=False
        )
    return _elsewhere(previous, bad, following, rest) or kept


def _renumbered(bad: Link, following: Link) -> Broken | None:
    at, stored, _ = bad
    for shift in range(1, SHIFT_MAX):
        if digest(stored, following[0] + shift, following[2]) == following[1]:
            return Broken(
                at,
                f"removed: what stands here was at {at + shift}, so"
                f" {_span(at, at + shift - 1)} missing and the rest were moved up",
            )
    return None


def _elsewhere(previous: bytes, bad: Link, first: Link, rest: Iterator[Link]) -> Broken | None:
    """Looks for the content that belongs in the broken place further down the ledger."""
    at, stored, _ = bad
    before, link = bad, first
    while True:
        belongs = digest(previous, at, link[2])
        if belongs in (stored, link[1]):
            return _exchanged(bad, before, link, next(rest, None), came_along=belongs == link[1])
        after = next(rest, None)
        if after is None:
            return None
        before, link = link, after


def _exchanged(
    bad: Link, before: Link, link: Link, after: Link | None, *, came_along: bool
) -> Broken:
    """`link` has the content of `bad`'s place: two rows swapped, or rows put in before it?"""
    at, stored, body = bad
    there, its_hash, _ = link
    hash_before = its_hash if before is bad and came_along else before[1]
    if digest(hash_before, there, body) in (stored, its_hash):
        return Broken(at, f"swapped: the rows at {at} and {there} stand in each other's place")
    moved_on = after is None or digest(its_hash, at + 1, after[2]) == after[1]
    if came_along and moved_on:
        return Broken(
            at, f"inserted: the row of this place stands at {there}, so {_span(at, there - 1)} new"
        )
    return Broken(at, f"swapped: the content of this place stands at {there}")


def _span(first: int, last: int) -> str:
    return f"position {first} is" if first == last else f"positions {first} to {last} are"
