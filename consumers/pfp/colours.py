"""Many colours → the 256 of an indexed picture, in whole numbers only."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

COLOURS_MAX = 256
BITS = 6  # of each channel that tell colours apart
Numbers = NDArray[np.int64]


def indexed(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Height × width × 3 → the palette's index of every pixel, and the palette (n × 3, n ≤ 256).

    The box of colours with the largest squared error is cut at its mean, along the channel that
    errs most, until there are enough (Wu 1991, without his tables).
    """
    cells = (picture >> (8 - BITS)).astype(np.intp)
    keys = cells[..., 0] << 2 * BITS | cells[..., 1] << BITS | cells[..., 2]
    counts = np.bincount(keys.ravel(), minlength=1 << 3 * BITS)
    present = np.flatnonzero(counts)
    mask = (1 << BITS) - 1
    points = np.stack((present >> 2 * BITS, present >> BITS & mask, present & mask), axis=1)
    boxes = cut(points, counts[present])
    lookup = np.zeros(1 << 3 * BITS, np.uint8)
    for number, (members, _) in enumerate(boxes):
        lookup[present[members]] = number
    palette = np.array([mean for _, mean in boxes], np.uint8)
    return lookup[keys], palette


def cut(points: Numbers, counts: Numbers) -> list[tuple[Numbers, list[int]]]:
    """The boxes: which points are in each, and its mean colour."""
    weighted = np.concatenate((points * counts[:, None], points * points * counts[:, None]), axis=1)
    open_: list[tuple[int, int, int, Numbers, list[int]]] = []
    done: list[tuple[Numbers, list[int]]] = []

    def put(members: Numbers) -> None:
        total = int(counts[members].sum())
        sums = [int(each) for each in weighted[members].sum(axis=0)]
        errors = [sums[3 + each] * total - sums[each] ** 2 for each in range(3)]
        axis = errors.index(max(errors))
        heappush(open_, (-sum(errors) // total, int(members[0]), axis, members, [total, *sums[:3]]))

    put(np.arange(len(points)))
    while open_ and open_[0][0] and len(open_) < COLOURS_MAX:
        _, _, axis, members, (total, *sums) = heappop(open_)
        low = points[members, axis] * total <= sums[axis]
        put(members[low])
        put(members[~low])
    step = 1 << (8 - BITS)
    for _, _, _, members, (total, *sums) in open_:
        done.append((members, [(2 * each * step + total * step) // (2 * total) for each in sums]))
    return done
