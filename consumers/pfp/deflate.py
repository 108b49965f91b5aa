"""RFC 1950 and 1951 written out, so that a picture's bytes do not hang on a library's version.

zlib, zlib-ng and their releases give different streams for the same bytes; what is stored for ever
under its hash must not. One block with its own Huffman codes; repetitions are looked for at the
distances that the caller names, which suits pictures with a period and keeps the work vectorized.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from zlib import adler32

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
HEADER = b"\x78\x01"
SHORTEST, LONGEST, DEEPEST = 4, 258, 15
END, FIRST_LENGTH = 256, 257
# RFC 1951, 3.2.5: the order in which the lengths of the code length code are written.
ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


def _table(first: int, bits: Sequence[int]) -> Numbers:
    """Where each symbol's range begins."""
    starts = [first]
    for each in bits[:-1]:
        starts.append(starts[-1] + (1 << each))
    return np.array(starts)


LENGTH_BITS = np.array([0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0])
LENGTH_STARTS = np.append(_table(3, LENGTH_BITS[:28].tolist()), 258)
DISTANCE_BITS = np.array([0, 0] + [n for n in range(14) for _ in range(2)])
DISTANCE_STARTS = _table(1, DISTANCE_BITS.tolist())


def compressed(content: bytes, distances: Sequence[int]) -> bytes:
    """A zlib stream of `content`; `distances` (1 … 32768) are where repetitions are looked for."""
    data = np.frombuffer(content, np.uint8)
    tokens, lengths, far = tokenized(data, distances)
    kind = np.searchsorted(LENGTH_STARTS, lengths, "right") - 1
    reach = np.searchsorted(DISTANCE_STARTS, far, "right") - 1
    copies = lengths > 0
    symbols = np.append(np.where(copies, FIRST_LENGTH + kind, tokens), END)
    literal_sizes = code_sizes(np.bincount(symbols, minlength=286))
    distance_sizes = code_sizes(np.bincount(reach[copies], minlength=30))
    literal_codes, distance_codes = codes(literal_sizes), codes(distance_sizes)
    values, widths = literal_codes[symbols], literal_sizes[symbols]
    at = np.flatnonzero(copies)
    kind, reach = kind[at], reach[at]
    # What follows a length: its extra bits, the distance, its extra bits; 48 bits at most in all.
    for field, size in (
        (lengths[at] - LENGTH_STARTS[kind], LENGTH_BITS[kind]),
        (distance_codes[reach], distance_sizes[reach]),
        (far[at] - DISTANCE_STARTS[reach], DISTANCE_BITS[reach]),
    ):
        values[at] |= field << widths[at]
        widths[at] += size
    head, head_widths = header(literal_sizes, distance_sizes)
    packed = bits(np.append(head, values), np.append(head_widths, widths))
    return HEADER + packed + adler32(content).to_bytes(4, "big")


def tokenized(
    data: NDArray[np.uint8], distances: Sequence[int]
) -> tuple[Numbers, Numbers, Numbers]:
    """Greedy: at every place the longest repetition, of the nearest distance that has it. Three
    columns: the literal, the length copied (0: none), its distance."""
    end = len(data)
    longest, where = np.zeros(end, np.int32), np.zeros(end, np.int32)
    for distance in distances:
        found = runs(data, distance)
        better = found > longest
        np.copyto(longest, found, where=better)
        where[better] = distance
    longest[longest < SHORTEST] = 0
    begun = starts(longest)
    past = np.zeros(end + 1, np.int8)
    past[begun] += 1
    past[begun + longest[begun]] -= 1
    kept = np.cumsum(past[:-1], dtype=np.int8) == 0
    kept[begun] = True
    lengths = np.zeros(end, np.int32)
    lengths[begun] = longest[begun]
    return data[kept].astype(np.int64), lengths[kept].astype(np.int64), where[kept].astype(np.int64)


def starts(longest: NDArray[np.int32]) -> Numbers:
    """Where the repetitions begin that are taken: each is the first after the end of the last."""
    end = len(longest)
    places = np.arange(end + 1, dtype=np.int32)
    begins = np.where(np.append(longest, 1) > 0, places, np.int32(end))
    following = np.minimum.accumulate(begins[::-1])[::-1]
    after = memoryview(following[places[:-1] + longest])
    taken, at = [], int(following[0])
    while at < end:
        taken.append(at)
        at = after[at]
    return np.array(taken, np.int64)


def runs(data: NDArray[np.uint8], distance: int) -> NDArray[np.int32]:
    """For how many bytes from each place on the data repeats what is `distance` before; ≤ 258."""
    differs = np.ones(len(data) + 1, bool)
    differs[distance:-1] = data[distance:] != data[:-distance]
    ends = np.where(differs, np.arange(len(differs), dtype=np.int32), np.int32(len(data)))
    until = np.minimum.accumulate(ends[::-1])[::-1][:-1]
    return np.minimum(until - np.arange(len(data), dtype=np.int32), LONGEST)


def code_sizes(counts: Numbers) -> Numbers:
    """Huffman's: bits for each symbol, 0 for one that does not occur. Too deep a tree is made
    flatter by halving the counts, which loses next to nothing."""
    counts = counts.copy()
    counts[np.flatnonzero(counts == 0)[: max(0, 2 - np.count_nonzero(counts))]] = 1
    while True:
        sizes = np.zeros(len(counts), np.int64)
        heap = [(int(counts[each]), int(each), [int(each)]) for each in np.flatnonzero(counts)]
        heapify(heap)
        while len(heap) > 1:
            few, first, some = heappop(heap)
            more, _, others = heappop(heap)
            some += others
            sizes[some] += 1
            heappush(heap, (few + more, first, some))
        if sizes.max() <= DEEPEST:
            return sizes
        counts = (counts + 1) // 2


def codes(sizes: Numbers) -> Numbers:
    """The canonical code of each symbol, its bits reversed as they are written (3.2.2)."""
    made = np.zeros(len(sizes), np.int64)
    code = 0
    for size in range(1, DEEPEST + 1):
        code <<= 1
        for symbol in np.flatnonzero(sizes == size):
            made[symbol] = int(f"{code:0{size}b}"[::-1], 2)
            code += 1
    return made


def header(literals: Numbers, distances: Numbers) -> tuple[Numbers, Numbers]:
    """Last block, dynamic codes. Every size takes four bits: a shorter table is not worth it."""
    sizes = np.concatenate((literals, distances))
    four = codes(np.array([4] * 16))
    fields = [
        (1, 1),
        (2, 2),
        (len(literals) - 257, 5),
        (len(distances) - 1, 5),
        (len(ORDER) - 4, 4),
    ]
    fields += [(4 if symbol < 16 else 0, 3) for symbol in ORDER]
    fields += [(int(four[size]), 4) for size in sizes]
    made = np.array(fields)
    return made[:, 0], made[:, 1]


def bits(values: Numbers, widths: Numbers) -> bytes:
    """Fields one after the other, the lowest bit first."""
    ends = np.cumsum(widths)
    field = np.repeat(np.arange(len(values)), widths)
    place = np.arange(ends[-1]) - (ends - widths)[field]
    return np.packbits((values[field] >> place & 1).astype(np.uint8), bitorder="little").tobytes()
