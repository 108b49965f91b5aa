"""Trades and badges come in any order, any number of times; what counts is what was said first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from projections import topical
from projections.badges import Badges, badges_of
from projections.names import as_stored, names_of
from projections.tables import LIVE, connect
from projections.topical import TopicProjection
from projections.trading_volume import TradingVolume, volume_of
from tests.world import Database, TestWorld

ADDRESS = "0xAbCdEf0123456789aBcDeF0123456789ABCDEF01"


@dataclass(frozen=True)
class Record:
    value: bytes | None
    offset: int = 0
    partition: int = 0
    timestamp: int = 1_700_000_000_000


class Crash(Exception):
    pass


@pytest.fixture(scope="module")
def shared(world: TestWorld) -> Iterator[Database]:
    """Its tables are dropped before each example."""
    with world.database() as made:
        yield made


def trade(id_: str = "1", user: str = "ada", usd: str = "5", **others: Any) -> dict[str, Any]:
    plain = {"trade_id": id_, "platform": "okx", "user_id": user, "volume_usd": usd}
    return {**plain, "traded_at": "2026-03-01T12:00:00Z", **others}


def badge(id_: str, action: str = "awarded", user: str = "ada", name: str = "early") -> Any:
    return {"badge_id": id_, "user_id": user, "badge": name, "action": action}


def records(messages: Sequence[Any]) -> list[Record]:
    return [Record(msgspec.json.encode(each), place) for place, each in enumerate(messages)]


class Table:
    """A projection in an empty database."""

    def __init__(self, connection: AsyncConnection, projection: TopicProjection[Any]) -> None:
        self.connection, self.projection = connection, projection

    async def rows(self, statement: Any, values: Any) -> Any:
        return await (await self.connection.execute(statement, values)).fetchall()

    async def take(self, messages: Sequence[Any], *, crash: bool = False) -> list[int]:
        """A page; the places of what was refused. `crash`: just before it would have counted."""
        return await self.take_records(records(messages), crash=crash)

    async def take_records(self, page: Sequence[Record], *, crash: bool = False) -> list[int]:
        try:
            async with self.connection.transaction():
                refused = await topical.take(self.connection, self.projection, page)
                if crash:
                    raise Crash
        except Crash:
            return []
        return sorted(each.record.offset for each in refused)


async def empty(database: Database, projection: TopicProjection[Any]) -> Table:
    connection = await connect(database.url, LIVE)
    await connection.execute(projection.sql["discard"])
    await topical.set_up(connection, projection)
    return Table(connection, projection)


@dataclass(frozen=True)
class Told:
    """A message as it is drawn: few ids, so that they repeat and contradict one another."""

    id: int
    user: int
    cents: int

    def message(self) -> dict[str, Any]:
        # The same amount, written differently each time it has a cent more or less to it.
        usd = Decimal(self.cents).scaleb(-2)
        return trade(str(self.id), f"user{self.user}", str(usd) if self.cents % 2 else f"{usd}0")


TOLD = st.builds(Told, st.integers(0, 5), st.integers(0, 2), st.integers(-999, 999))


@settings(max_examples=40)
@given(told=st.lists(TOLD, max_size=24), data=st.data())
async def test_volume_is_the_sum_of_first_trades_whatever_comes_again(
    shared: Database, told: list[Told], data: st.DataObject
) -> None:
    """Pages of any size, each tried again after a crash, or read again from further back."""

    table = await empty(shared, TradingVolume())
    first: dict[int, Told] = {}
    place = 0
    while place < len(told):
        start = data.draw(st.integers(0, place))
        end = data.draw(st.integers(place + 1, len(told)))
        page = told[start:end]
        for each in page:
            first.setdefault(each.id, each)
        if data.draw(st.booleans()):
            await table.take([each.message() for each in page], crash=True)
        refused = await table.take([each.message() for each in page])
        assert refused == [n for n, each in enumerate(page) if first[each.id] != each]
        place = end
    for user in range(3):
        sums = sum(each.cents for each in first.values() if each.user == user)
        found = await volume_of(table.rows, [f"user{user}"])
        assert found == Decimal(sums).scaleb(-2)
    await table.connection.close()


SAID = st.tuples(st.integers(0, 2), st.sampled_from(["awarded", "revoked"]), st.integers(0, 2))


@settings(max_examples=25)
@given(said=st.lists(SAID, max_size=12), data=st.data())
async def test_a_badge_is_held_from_its_award_until_it_is_revoked(
    shared: Database, said: list[tuple[int, str, int]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(said))
    cut = data.draw(st.integers(0, len(order)))

    async def held(pages: list[Any]) -> Any:
        table = await empty(shared, Badges())
        for page in pages:
            assert await table.take_records(page) == []
        found = await badges_of(table.rows, ["ada"])
        await table.connection.close()
        return found

    def page(of: Sequence[tuple[int, str, int]]) -> list[Record]:
        """The place of a message goes with it, as on a topic."""
        return [
            Record(msgspec.json.encode(badge(f"b{id_}", action)), place, timestamp=place)
            for id_, action, place in of
        ]

    awarded: dict[str, int] = {}
    for id_, action, place in said:
        if action == "awarded":
            awarded[f"b{id_}"] = min(place, awarded.get(f"b{id_}", place))
    for id_, action, _ in said:
        if action == "revoked":
            awarded.pop(f"b{id_}", None)
    wanted = [(id_, "early") for id_ in sorted(awarded, key=lambda each: (awarded[each], each))]
    assert await held([page(order[:cut]), page(order[cut:]), page(order[:cut])]) == wanted


NO_TRADE = {
    "no JSON": b"{",
    "no UTF-8": b'{"trade_id": "\xff"}',
    "nothing": None,
    "a list": b"[]",
    "too deep": b'{"x":' + b"[" * 100_000,
    "without fields": b"{}",
    **{
        name: msgspec.json.encode(trade("odd", **{"usd": "1", **odd}))
        for name, odd in {
            "a number for volume": {"volume_usd": 1.5},
            "an exponent": {"usd": "1e3"},
            "no number": {"usd": "NaN"},
            "infinity": {"usd": "Infinity"},
            "a comma": {"usd": "1,000"},
            "a line end": {"usd": "1\n"},
            "foreign digits": {"usd": "١"},
            "eleven decimals": {"usd": "0.00000000001"},
            "too large": {"usd": "100000000000000000000"},
            "no zone": {"traded_at": "2026-03-01T12:00:00"},
            "no time": {"traded_at": "yesterday"},
            "seconds": {"traded_at": 1_700_000_000},
            "nobody": {"user": ""},
            "a name no database takes": {"user": "a\0b"},
            "a name without end": {"user": "a" * 201},
            "a trade without id": {"trade_id": None},
        }.items()
    },
}


async def test_what_is_no_trade_is_refused_and_everything_beside_it_counts(
    shared: Database,
) -> None:
    table = await empty(shared, TradingVolume())
    good = [msgspec.json.encode(trade(str(n), usd="0.1")) for n in range(3)]
    values = [good[0], *NO_TRADE.values(), good[1], good[2]]
    refused = await table.take_records([Record(each, n) for n, each in enumerate(values)])
    names = list(NO_TRADE)
    assert [names[n - 1] for n in refused] == names
    assert await volume_of(table.rows, ["ada"]) == Decimal("0.3")
    await table.connection.close()


async def test_amounts_are_exact_to_the_tenth_decimal(shared: Database) -> None:
    table = await empty(shared, TradingVolume())
    large = "99999999999999999999.9999999999"
    said = [trade("1", usd=large), trade("2", usd="0.0000000001"), trade("3", usd=f"-{large}")]
    assert await table.take(said) == []
    assert await volume_of(table.rows, ["ada"]) == Decimal("0.0000000001")
    assert await volume_of(table.rows, ["nobody"]) == 0
    await table.connection.close()


async def test_an_equal_trade_may_be_written_differently(shared: Database) -> None:
    table = await empty(shared, TradingVolume())
    first = trade("1", ADDRESS, "5.10")
    assert await table.take([first, {**first, "user_id": ADDRESS.lower(), "note": 1}]) == []
    same_moment = {**first, "volume_usd": "5.1", "traded_at": "2026-03-01T16:00:00+04:00"}
    assert await table.take([same_moment]) == []
    others = [{"volume_usd": "5.11"}, {"user_id": "eve"}, {"traded_at": "2026-03-01T12:00:01Z"}]
    assert await table.take([{**first, **each} for each in others]) == [0, 1, 2]
    assert await table.take([{**first, "platform": "orderly"}]) == []
    await table.connection.close()


async def test_a_badge_of_somebody_else_is_refused(shared: Database) -> None:
    table = await empty(shared, Badges())
    assert await table.take([badge("b1", user="eve"), badge("b1"), badge("b2")]) == [1]
    assert await table.take(
        [badge("b1"), badge("b1", "revoked", "eve"), badge("b2", name="x")]
    ) == [
        0,
        2,
    ]
    assert await badges_of(table.rows, ["ada", "eve"]) == [("b2", "early")]
    assert await table.take([{**badge("b3"), "action": "sold"}, badge("b4", user="")]) == [0, 1]
    await table.connection.close()


async def test_what_the_database_refuses_alone_is_refused_alone(shared: Database) -> None:
    """A rule of the table that no reader knows, as in a message nobody thought of."""
    table = await empty(shared, TradingVolume())
    await table.connection.execute("ALTER TABLE trades ADD CHECK (trade_id <> '7')")
    assert await table.take([trade(str(n), usd="1") for n in range(10)]) == [7]
    assert await volume_of(table.rows, ["ada"]) == 9
    await table.connection.close()


async def test_tables_of_which_one_is_gone_start_again(shared: Database) -> None:
    table = await empty(shared, TradingVolume())
    at = await topical.register(table.connection, table.projection, {0: 5, 1: 0})
    assert at == {0: 0, 1: 0}
    await topical.move(table.connection, table.projection, topical.steps(at, {0: 3}, {0: 5}))
    await table.take([trade()])
    await topical.look(table.connection, table.projection, {0: 3, 1: 0})
    assert await topical.places(table.rows, "trading_volume") == {0: 3, 1: 0}

    await table.connection.execute("DROP TABLE trades")
    with pytest.raises(topical.LeadLost):
        await topical.look(table.connection, table.projection, {0: 3, 1: 0})
    with pytest.raises(psycopg.errors.UndefinedTable):
        await table.take([trade()])
    await topical.set_up(table.connection, table.projection)
    assert await volume_of(table.rows, ["ada"]) == 0
    with pytest.raises(topical.LeadLost):
        await topical.move(table.connection, table.projection, topical.steps({0: 3}, {0: 4}, {}))
    await table.connection.close()


def test_a_pass_trades_under_all_its_names() -> None:
    assert as_stored(f"pass:user:eip155:{ADDRESS}") == f"pass:user:eip155:{ADDRESS.lower()}"
    assert as_stored(f"0x{'A' * 64}") == f"0x{'A' * 64}"
    known = names_of(["pass:user:ada", "pass:anon:7"], [f"eip155:{ADDRESS}", "solana:So1", "fid:3"])
    assert {"ada", "pass:user:ada", "pass:anon:7", "solana:So1", "So1", "fid:3"} <= set(known)
    assert {"pass:user:solana:So1", ADDRESS.lower(), f"eip155:{ADDRESS.lower()}"} <= set(known)
    assert "3" not in known and ADDRESS not in known
