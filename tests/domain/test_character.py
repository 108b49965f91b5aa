"""Character, as promised to whoever paid for its image."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as some

from domain.character import (
    Character,
    CharacterCreated,
    GenerationFailed,
    GenerationRequested,
    ImageStored,
    NothingToRetry,
    OrderAttached,
)
from domain.event import Refused
from tests.spec import NOON, Given

ID = {"character_id": "c0de"}
CAP = timedelta(seconds=30)

created = CharacterCreated(**ID, pass_id="pass:user:alice", role="samurai", kind="role")
attached = OrderAttached(**ID, order_id="7e57", number=1)


def requested(attempt=1):
    return GenerationRequested(
        **ID, order_id="7e57", attempt=attempt, prompt="p", provider="seedream", model="m"
    )


def failed(attempt=1, error_class="transient", gave_up=False):
    return GenerationFailed(
        **ID, attempt=attempt, error_class=error_class, reason="", retry_at=NOON, gave_up=gave_up
    )


def stored(attempt=1):
    return ImageStored(
        **ID,
        attempt=attempt,
        output_url="http://cdn/x.png",
        sha256="00",
        content_type="image/png",
        bytes=1,
        width=1,
        height=1,
    )


def request(character):
    return character.request_generation("7e57", "p", "seedream", "m")


def fail(error_class, attempt=1):
    return lambda c: c.fail_generation(attempt, error_class, "", at=NOON, cap=CAP)


def given(*history):
    return Given(Character(), created, attached, *history)


def test_whoever_asks_first_opens_the_attempt_and_the_others_share_it():
    given().when(request).then(requested())
    given(requested()).when(request).then()


def test_a_stored_image_is_final():
    given(requested()).when(lambda c: c.store_image(stored())).then(stored())
    given(requested(), stored()).when(request).then()
    given(requested(), stored()).when(fail("transient")).then()


def test_a_late_picture_of_an_attempt_given_up_is_kept():
    given(requested(), failed(gave_up=True)).when(lambda c: c.store_image(stored())).then(stored())


def test_a_picture_of_no_attempt_is_refused_silently():
    given().when(lambda c: c.store_image(stored())).then()


def test_the_quick_tries_go_on_by_themselves_and_then_the_pass_is_told():
    history = [requested(1), failed(1), requested(2), failed(2), requested(3)]
    assert given(*history).is_now().image_status == "generating"
    [third] = given(*history).is_now().fail_generation(3, "transient", "", at=NOON, cap=CAP)
    assert third.gave_up
    assert given(*history, third).is_now().image_status == "failed"


@pytest.mark.parametrize("error_class", ["refused", "invalid"])
def test_what_will_not_work_is_not_tried_again_without_the_pass(error_class):
    [event] = given(requested()).is_now().fail_generation(1, error_class, "", at=NOON, cap=CAP)
    assert event.gave_up
    assert event.retry_at is None


@pytest.mark.parametrize("error_class", ["quota", "unknown"])
def test_quota_and_unknown_are_shown_at_once_and_tried_again_later(error_class):
    [event] = given(requested()).is_now().fail_generation(1, error_class, "", at=NOON, cap=CAP)
    assert event.gave_up
    assert event.retry_at > NOON


def test_the_pause_grows_up_to_its_cap():
    character = given(requested()).is_now()
    pauses = []
    for attempt in range(1, 12):
        [event] = character.fail_generation(attempt, "transient", "", at=NOON, cap=CAP)
        pauses.append(event.retry_at - NOON)
        character = character.evolve(event).evolve(requested(attempt + 1))
    assert all(pause <= CAP for pause in pauses)
    assert pauses[0] <= timedelta(seconds=1)
    assert pauses[-1] > CAP / 2


def test_the_provider_may_ask_for_a_longer_pause():
    wish = timedelta(seconds=20)
    character = given(requested()).is_now()
    [event] = character.fail_generation(1, "throttled", "", at=NOON, cap=CAP, not_before=wish)
    assert event.retry_at >= NOON + wish


def test_a_retry_is_offered_exactly_when_the_image_failed():
    def retry(character):
        character.may_retry_generation()
        return request(character)

    given(requested(), failed(gave_up=True)).when(request).then(requested(2))
    given(requested(), failed(gave_up=False)).when(retry).refused(NothingToRetry)
    given(requested()).when(retry).refused(NothingToRetry)
    given(requested(), stored()).when(retry).refused(NothingToRetry)


classes = some.sampled_from(["transient", "throttled", "quota", "refused", "invalid", "unknown"])
asked = some.one_of(
    some.just(request),
    some.builds(fail, classes, some.integers(1, 4)),
    some.integers(1, 4).map(lambda n: lambda c: c.store_image(stored(n))),
)


@forall(some.lists(asked, max_size=30))
def test_one_attempt_is_open_at_a_time_and_one_image_is_kept(story):
    character, is_open, images = given().is_now(), False, 0
    for decision in story:
        try:
            events = decision(character)
        except Refused:
            continue
        for event in events:
            if isinstance(event, GenerationRequested):
                assert not is_open
                assert not images
                is_open = True
            if isinstance(event, GenerationFailed):
                is_open = False
            images += isinstance(event, ImageStored)
            character = character.evolve(event)
        assert images <= 1
