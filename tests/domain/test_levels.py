"""What a level asks for: exact volumes, badges in the order of their award, the next level only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.levels import (
    DEFAULT_LEVELS,
    NAMES,
    Badge,
    Level,
    Qualification,
    Record,
    level_name,
    levels_of,
    next_level,
    spoken_usd,
)

LEVELS = levels_of(DEFAULT_LEVELS)


def badges(count: int) -> tuple[Badge, ...]:
    return tuple(Badge(f"b{n}", f"badge {n}") for n in range(count))


def standing(level: int, volume: str, count: int = 0) -> Qualification:
    return Qualification(LEVELS[level - 1], Record(Decimal(volume), badges(count)))


def row(level: Any = 1, volume: Any = "100000", count: Any = 0) -> dict[str, Any]:
    return {"level": level, "volume_usd": volume, "badges": count}


@pytest.mark.parametrize(
    "level, volume, count",
    [(1, "100000", 0), (2, "500000", 2), (3, "5000000", 4), (4, "10000000", 5), (5, "50000000", 6)],
)
def test_each_level_asks_for_the_volume_of_the_seed_and_its_badges(level, volume, count):
    assert standing(level, volume, count).qualified
    short = Decimal(volume) - Decimal("0.0000000001")
    assert standing(level, str(short), count).missing == ["volume"]
    if count:
        assert standing(level, volume, count - 1).missing == ["badges"]
        assert standing(level, str(short), count - 1).missing == ["volume", "badges"]


@pytest.mark.parametrize(
    "volume, percent, qualified",
    [
        ("-5", 0, False),
        ("0", 0, False),
        ("999.99", 0, False),
        ("1000", 1, False),
        ("99999.99", 99, False),
        ("99999.9999999999", 99, False),
        ("100000.00", 100, True),
        ("100000.0000000001", 100, True),
        ("99999999999999999999.9999999999", 100, True),
    ],
)
def test_a_level_is_reached_exactly_at_its_volume(volume, percent, qualified):
    asked = standing(1, volume)
    assert (asked.progress_percent, asked.qualified) == (percent, qualified)


def test_progress_is_exact_however_far_the_numbers_are_apart():
    most = Decimal("99999999999999999999.9999999999")
    assert Qualification(Level(1, most, 0), Record(most, ())).progress_percent == 100
    short = Record(Decimal("99999999999999999999.9999999998"), ())
    assert Qualification(Level(1, most, 0), short).progress_percent == 99
    least = Level(1, Decimal("0.0000000001"), 0)
    assert Qualification(least, Record(most, ())).progress_percent == 100


def test_the_earliest_badges_are_consumed_and_no_more_than_are_asked_for():
    assert standing(2, "500000", 5).badges == badges(2)
    assert standing(1, "500000", 5).badges == ()


def test_taken_badges_do_not_count_again():
    record = Record(Decimal(7), badges(3)).without(frozenset({"b1", "other"}))
    assert record == Record(Decimal(7), (badges(3)[0], badges(3)[2]))


def test_the_next_level_is_one_above_and_none_above_the_top():
    assert [next_level(LEVELS, level) for level in range(5)] == list(LEVELS)
    assert next_level(LEVELS, 5) is None
    assert next_level(LEVELS[:2], 4) is None, "a table that was cut takes no level away"


@pytest.mark.parametrize(
    "value, why",
    [
        (None, "list of 1 to 20"),
        ({}, "list of 1 to 20"),
        ([], "list of 1 to 20"),
        ([row(n, str(n * 10)) for n in range(1, 22)], "list of 1 to 20"),
        (["100000"], "exactly level"),
        ([{"level": 1, "volume_usd": "1"}], "exactly level"),
        ([{**row(), "name": "chicken"}], "exactly level"),
        ([row(level=2)], "count from 1"),
        ([row(level=True)], "count from 1"),
        ([row(), row(3, "200000")], "count from 1"),
        ([row(count=-1)], "badges"),
        ([row(count=1001)], "badges"),
        ([row(count=True)], "badges"),
        ([row(count="2")], "badges"),
        ([row(), row(2, "100000")], "more volume"),
        ([row(), row(2, "99999.99")], "more volume"),
        *(
            ([row(volume=volume)], "decimal string")
            for volume in (
                *(100000, 1e5, None, "", " 1", "1 ", "+1", "-1", "0", "0.00", ".5", "1.", "1e5"),
                *("1_000", "1,000", "NaN", "Infinity", "١", "0.00000000001", "1" * 21, "1\n"),
            )
        ),
    ],
)
def test_a_malformed_table_is_told_what_is_wrong_with_it(value, why):
    with pytest.raises(ValueError, match=why):
        levels_of(value)


def test_a_table_may_be_of_any_length_and_exact_to_ten_places():
    table = levels_of([row(), row(2, "100000.0000000001", 1000)])
    assert [level.level for level in table] == [1, 2]
    assert table[1] == Level(2, Decimal("100000.0000000001"), 1000)


@pytest.mark.parametrize(
    "amount, spoken",
    [("100000.00", "100000"), ("512000.50", "512000.5"), ("1E+5", "100000"), ("0E-10", "0")],
)
def test_amounts_are_spoken_without_exponent_and_idle_zeros(amount, spoken):
    assert spoken_usd(Decimal(amount)) == spoken


def test_levels_beyond_the_products_own_are_called_by_their_number():
    assert (level_name(5), level_name(6)) == (NAMES[5], "Level 6")
