"""Matcha that belongs to a pass, whatever the pass was called when it was given or held."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from commands.config import SetConfig
from commands.matcha import ExpireMatcha, GrantWelcome, SeeMatcha
from commands.passes import Identify, OpenPass
from domain.matcha import InsufficientMatcha, matcha_stream
from domain.matcha_events import MatchaCaptured
from tests.commands.drinking import Buy, Capture, Hold, Release
from tests.commands.memory import Memory
from tests.spec import NOON

ANN, EVE, DAY = "pass:user:ann", "pass:anon:eve", timedelta(days=1)


def shown(memory, owner):
    see = SeeMatcha(owner=owner)
    return see.shown(memory.look(see), memory.now)


def of(memory, owner):
    return memory.state(matcha_stream(owner))


@pytest.fixture
def memory():
    """Ann opened her pass on the day before Eve did hers."""
    memory = Memory()
    memory.do(OpenPass(new_pass_id=ANN, identities=("email:ann",)))
    memory.later(DAY.total_seconds())
    memory.do(OpenPass(new_pass_id=EVE))
    return memory


def merge(memory):
    return memory.do(Identify(identity="email:ann", new_pass_id="pass:x", current=EVE))


def test_a_merge_brings_the_younger_ones_matcha_and_holds(memory):
    memory.do(Buy(owner=ANN, id_="a", amount=10))
    memory.do(Buy(owner=EVE, id_="b", amount=10))
    memory.do(Hold(owner=EVE, id_="g1", amount=3))
    merge(memory)
    assert shown(memory, EVE) == shown(memory, ANN)
    assert (of(memory, ANN).balance, of(memory, ANN).held, of(memory, EVE).balance) == (20, 3, 0)
    memory.do(Capture(owner=EVE, id_="g1"))
    assert (of(memory, ANN).balance, of(memory, ANN).held) == (17, 0)
    memory.do(Buy(owner=EVE, id_="b", amount=10))
    assert of(memory, ANN).balance == 17, "a lot that was moved is not granted again"


def test_whoever_grants_while_an_empty_pass_is_merged_meets_the_merge(memory):
    """Both of them change the version of the stream of the pass that ends."""
    seen = memory.look(Buy(owner=EVE, id_="b", amount=10))
    merge(memory)
    (event,) = Buy(owner=EVE, id_="b", amount=10).decide(seen, memory.now)
    assert event.stream == matcha_stream(EVE)
    assert len(memory.streams[event.stream]) > seen.version(event.stream)


def test_what_was_given_before_it_is_told_says_until_when(memory):
    memory.do(Buy(owner=EVE, id_="b", amount=4))
    expires_at = (memory.now + 30 * DAY).isoformat()
    told = {"matcha": 4, "matcha_available": 4, "matcha_owed": 0, "expires_at": expires_at}
    assert shown(memory, EVE) == told
    memory.later(31 * DAY.total_seconds())
    assert shown(memory, EVE) == {**told, "matcha_available": 0}
    memory.do(ExpireMatcha(owner=EVE))
    assert shown(memory, EVE) == {**told, "matcha": 0, "matcha_available": 0, "expires_at": None}


def test_a_hold_beyond_what_there_is_changes_nothing(memory):
    memory.do(Buy(owner=EVE, id_="b", amount=4))
    before = len(memory.history)
    with pytest.raises(InsufficientMatcha):
        memory.do(Hold(owner=EVE, id_="g1", amount=5))
    assert len(memory.history) == before


# The welcome.


@pytest.fixture
def welcoming(memory):
    memory.do(SetConfig(key="mma.welcome", value={"amount": 5}, by="pass:user:ops"))
    return memory


def test_nobody_is_given_anything_while_the_welcome_is_nought(memory):
    memory.do(GrantWelcome(owner=ANN))
    assert not memory.streams[matcha_stream(ANN)]


def test_a_pass_is_welcomed_once_until_thirty_days_after_it_was_opened(welcoming):
    welcoming.do(GrantWelcome(owner=ANN))
    welcoming.do(GrantWelcome(owner=ANN))
    lot = of(welcoming, ANN).lots[f"welcome:{ANN}"]
    assert (lot.amount, lot.lot_class, lot.expires_at) == (5, "free", NOON + 30 * DAY)
    assert of(welcoming, ANN).balance == 5


def test_a_pass_that_was_opened_long_ago_is_given_nothing_that_has_expired(welcoming):
    welcoming.later(30 * DAY.total_seconds())
    welcoming.do(GrantWelcome(owner=ANN))
    assert not welcoming.streams[matcha_stream(ANN)]


def test_passes_that_were_both_welcomed_and_became_one_are_welcomed_no_more(welcoming):
    welcoming.do(GrantWelcome(owner=EVE))
    merge(welcoming)
    welcoming.do(GrantWelcome(owner=EVE))
    assert of(welcoming, ANN).balance == 5, "the pass it absorbed was welcomed"


def test_guests_who_become_one_pass_bring_no_welcome_of_their_own(welcoming):
    welcoming.do(GrantWelcome(owner=ANN))
    for n in range(5):
        guest = f"pass:anon:{n}"
        welcoming.later(1)
        welcoming.do(OpenPass(new_pass_id=guest))
        welcoming.do(GrantWelcome(owner=guest))
        welcoming.do(Buy(owner=guest, id_=f"lot{n}", amount=2))
        welcoming.do(Hold(owner=guest, id_=f"g{n}", amount=4))
        ann: Any = {"identity": "email:ann", "new_pass_id": "pass:x"}
        welcoming.do(Identify(**ann, current=guest, guest=True))
    assert (of(welcoming, ANN).balance, of(welcoming, ANN).held) == (5 + 5 * (2 + 4), 5 * 4)
    for n in range(4):
        welcoming.do(Release(owner=ANN, id_=f"g{n}"))
    welcoming.do(Capture(owner=ANN, id_="g4"))
    assert of(welcoming, ANN).balance == 5 + 5 * 2, "what comes back of a second welcome is gone"
    (spent,) = (e for e in welcoming.history if isinstance(e, MatchaCaptured))
    assert spent.lots == {"welcome:pass:anon:4": 4}
    moved = sum(getattr(event, "matcha_delta", 0) for event in welcoming.history)
    assert moved == of(welcoming, ANN).balance


def test_who_was_not_welcomed_keeps_the_welcome_of_the_pass_it_absorbs(welcoming):
    welcoming.do(GrantWelcome(owner=EVE))
    merge(welcoming)
    assert (of(welcoming, ANN).balance, shown(welcoming, ANN)["matcha_available"]) == (5, 5)


def test_an_identity_is_welcomed_once_under_whatever_pass_names_it(welcoming):
    welcoming.do(GrantWelcome(owner=ANN))
    welcoming.do(OpenPass(new_pass_id="pass:user:dev", identities=("email:ann",)))
    welcoming.do(GrantWelcome(owner="pass:user:dev"))
    assert not welcoming.streams[matcha_stream("pass:user:dev")]
