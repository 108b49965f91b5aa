"""Config: versions that are never overwritten, each of them checked before it is one."""

from __future__ import annotations

from typing import Any

import pytest

from domain.config import KINDS, Config, ConfigSet, InvalidConfig
from domain.contexts import DEFAULT_CONTEXTS, READER
from domain.levels import DEFAULT_LEVELS, LEVELS_KEY
from tests.spec import Given

ADA = "pass:user:ada"
LOW = [{"level": 1, "volume_usd": "10", "badges": 0}]
LOWER = [{"level": 1, "volume_usd": "5", "badges": 0}]


def version(number: int, value: Any) -> ConfigSet:
    id_ = f"app_config:{LEVELS_KEY}:{number}"
    return ConfigSet(mg_id=id_, key=LEVELS_KEY, version=number, value=value, pass_id=ADA)


def given(*history: ConfigSet) -> Given:
    return Given(Config(), *history)


def setting(value: Any, key: str = LEVELS_KEY) -> Any:
    return lambda config: config.set(key, value, ADA)


def test_the_default_is_version_0_and_good():
    config = given().is_now()
    assert (config.version, config.value(LEVELS_KEY)) == (0, DEFAULT_LEVELS)
    for kind in KINDS.values():
        kind.check(kind.default)


def test_each_value_is_a_version_of_its_own():
    given().when(setting(LOW)).then(version(1, LOW))
    given(version(1, LOW)).when(setting(LOWER)).then(version(2, LOWER))


def test_what_stands_already_makes_no_version():
    given().when(setting(DEFAULT_LEVELS)).then()
    given(version(1, LOW)).when(setting(LOW)).then()


def test_an_earlier_value_makes_a_new_version_and_the_old_ones_stay():
    config = given(version(1, LOW), version(2, LOWER), version(3, LOW)).is_now()
    known = [config.at(LEVELS_KEY, number) for number in range(4)]
    assert known == [DEFAULT_LEVELS, LOW, LOWER, LOW]
    given(version(1, LOW)).when(setting(DEFAULT_LEVELS)).then(version(2, DEFAULT_LEVELS))


@pytest.mark.parametrize("value", [None, [], {}, "text", 7, [LOW[0], LOW[0]]])
def test_a_value_that_does_not_fit_is_refused(value):
    given().when(setting(value)).refused(InvalidConfig)


@pytest.mark.parametrize("key", ["", "nft.level", "NFT.LEVELS", "x" * 1000])
def test_a_key_that_nobody_knows_is_refused(key):
    given().when(setting(LOW, key)).refused(InvalidConfig)


@pytest.mark.parametrize(
    "more", [{"a name": "x"}, {"x" * 41: "x"}, {"mood": ""}, {"mood": "x" * 1_001}, {"mood": 7}]
)
def test_a_context_asks_for_nothing_that_no_request_could_ask_for(more: dict[str, Any]) -> None:
    context = DEFAULT_CONTEXTS[READER]
    value = {**context, "fields": {**context["fields"], **more}}
    given().when(setting(value, READER)).refused(InvalidConfig)
    good = {**context, "fields": {**context["fields"], "mood": "in one word"}}
    assert given().is_now().set(READER, good, ADA)
