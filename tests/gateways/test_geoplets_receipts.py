"""Which Transfer pays for which authorization, in receipts that no honest token would make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.gateways.evm_json import TRANSFER, Log, Receipt
from consumers.gateways.geoplets_abi import (
    AUTHORIZATION_CANCELED,
    AUTHORIZATION_USED,
    GEOPLET_MINTED,
    authorizations_in,
    geoplets_in,
    topic,
    yes_or_no,
)
from consumers.gateways.ports import TryAgain

TOKEN, OTHER_TOKEN, GEOPLETS = "0x" + "c0" * 20, "0x" + "c1" * 20, "0x" + "c2" * 20
PAYER, OTHER, PAYEE = "0x" + "a1" * 20, "0x" + "a2" * 20, "0x" + "7e" * 20
NONCE = "0x" + "0e" * 32


def used(payer: str = PAYER, token: str = TOKEN, kind: str = AUTHORIZATION_USED) -> Log:
    return Log(token, (kind, topic(payer), NONCE), b"", 0)


def moved(amount: int = 7, payer: str = PAYER, to: str = PAYEE, token: str = TOKEN) -> Log:
    return Log(token, (TRANSFER, topic(payer), topic(to)), amount.to_bytes(32), 0)


def receipt(*logs: Log | None) -> Receipt:
    """`None` leaves a place out, as if a log there had been hidden."""
    placed = [
        Log(log.address, log.topics, log.data, index) for index, log in enumerate(logs) if log
    ]
    return Receipt("0x" + "77" * 32, 5, "0x" + "b5" * 32, True, tuple(placed))


def amounts(*logs: Log | None) -> list[int]:
    return [seen.amount for seen in authorizations_in(receipt(*logs), TOKEN, PAYEE)]


@pytest.mark.parametrize(
    ("logs", "paid"),
    [
        ((used(), moved()), [7]),
        ((used(), moved(7), used(), moved(8)), [7, 8]),
        ((used(), used(), moved()), [0, 7]),
        ((used(), moved(), moved()), [7]),
        ((moved(), used()), [0]),
        ((used(),), [0]),
        ((used(), None, moved()), [0]),
        ((used(), moved(token=OTHER_TOKEN), moved()), [0]),
        ((used(), moved(payer=OTHER), moved()), [0]),
        ((used(), moved(to=OTHER), moved()), [0]),
        ((used(kind=AUTHORIZATION_CANCELED), moved()), [0]),
        ((used(token=OTHER_TOKEN), moved()), []),
        ((used(token=OTHER_TOKEN), moved(token=OTHER_TOKEN)), []),
        ((used(), Log(TOKEN, (*moved().topics, NONCE), b"", 0)), [0]),
        ((used(), Log(TOKEN, moved().topics, b"\x07", 0)), [0]),
    ],
)
def test_the_next_log_alone_pays(logs: tuple[Log | None, ...], paid: list[int]) -> None:
    assert amounts(*logs) == paid


noise = st.lists(
    st.one_of(
        st.builds(
            used,
            payer=st.sampled_from([PAYER, OTHER]),
            token=st.sampled_from([TOKEN, OTHER_TOKEN]),
            kind=st.sampled_from([AUTHORIZATION_USED, AUTHORIZATION_CANCELED]),
        ),
        st.builds(
            moved,
            amount=st.integers(0, 9),
            payer=st.sampled_from([PAYER, OTHER]),
            to=st.sampled_from([PAYEE, OTHER]),
            token=st.sampled_from([TOKEN, OTHER_TOKEN]),
        ),
    ),
    max_size=12,
)


@given(noise)
def test_no_more_is_counted_than_the_payee_got(logs: list[Log]) -> None:
    for payer in (PAYER, OTHER):
        seen = authorizations_in(receipt(*logs), TOKEN, PAYEE)
        counted = sum(each.amount for each in seen if each.payer == payer)
        transfers = (log for log in logs if log.topics[0] == TRANSFER and log.address == TOKEN)
        got = [each for each in transfers if each.topics[1:] == (topic(payer), topic(PAYEE))]
        assert counted <= sum(int.from_bytes(each.data) for each in got)


def test_a_mint_of_another_contract_is_none() -> None:
    minted = Log(GEOPLETS, (GEOPLET_MINTED, topic(12345), topic(PAYER)), b"", 0)
    (seen,) = geoplets_in(receipt(moved(), minted), GEOPLETS)
    assert (seen.fid, seen.owner, seen.log_index, seen.block_number) == (12345, PAYER, 1, 5)
    assert geoplets_in(receipt(minted), TOKEN) == ()


@pytest.mark.parametrize("cut", [1, 2])
def test_an_event_without_its_fields_is_malformed(cut: int) -> None:
    short = used().topics[:cut]
    with pytest.raises(TryAgain, match="malformed"):
        amounts(Log(TOKEN, short, b"", 0), moved())
    with pytest.raises(TryAgain, match="malformed"):
        geoplets_in(receipt(Log(GEOPLETS, (GEOPLET_MINTED, *short[1:]), b"", 0)), GEOPLETS)


@pytest.mark.parametrize("answer", ["0x", None, 1, "0x1", f"0x{2:064x}", "0x" + "0" * 128, []])
def test_half_a_bool_is_none(answer: object) -> None:
    with pytest.raises(TryAgain, match="malformed"):
        yes_or_no(answer)
    assert [yes_or_no(f"0x{each:064x}") for each in (0, 1)] == [False, True]
