"""What a still and a video go through, and that it is paid for once or not at all."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from itertools import product

import pytest

from commands.generations import CancelCreation, SayEvent
from consumers.gateways.mma_ports import NotWhole
from consumers.gateways.ports import OutcomeUnknown, TryAgain, WillNotWork
from consumers.reactions.mma_steps import rerun
from domain.config import Config
from domain.event import plain
from tests.reactions.studio import ASSETS, BASE, FIRST, Crash, Studio

REFUSED = WillNotWork("openai: the model refused", error_class="refused")


@pytest.mark.parametrize("there", list(product([False, True], repeat=3)))
async def test_only_what_is_there_is_scanned(there):
    names = ("product_image", "logo_image", "inspiration_images")
    given = {name: ASSETS[name] for name, is_there in zip(names, there, strict=True) if is_there}
    studio = Studio()
    await studio.still(assets=given)
    assert (await studio.until_done()).status == "done"
    scans = {"product_image": 1, "logo_image": 1, "inspiration_images": 2}
    expected = Counter({f"scan_{name.split('_')[0]}": scans[name] for name in given})
    expected |= Counter(gpt_reader=1, seedream_generate=1, post_scan=1)
    assert Counter(step.step_type for step in studio.steps()) == expected
    assert [step.step_no for step in studio.steps()] == list(range(1, expected.total() + 1))
    for step in studio.steps():
        assert step.payload.keys() == {"input", "output", "timing", "error"}


async def test_a_still_is_delivered_and_paid_for_in_one_append():
    studio = Studio()
    await studio.still(assets=ASSETS, style="editorial")
    await studio.attend()
    known = studio.known()
    assert known.status == "done" and known.delivered.output_url.startswith(f"{BASE}/generations/")
    assert (studio.account().balance, studio.account().held) == (99, 0)
    vars_ = plain(known.delivered.mma_vars)
    assert vars_["scans"]["inspiration_crt"] == ["a crt", "a crt"]
    assert vars_["prompts"] == {"brief": "a red cup", "clean_prompt": "a clean_prompt"}
    assert "a userMessage_final" in known.messages
    assert known.messages[-1] == "Here is your picture. Enjoy it!"
    (wanted,) = studio.wanted
    assert wanted.images["inspirations"] == tuple(ASSETS["inspiration_images"])


async def test_each_gpt_step_can_be_asked_again_in_the_same_bytes():
    studio = Studio()
    await studio.still(assets=ASSETS)
    await studio.attend()
    configs: dict[str, Config] = {}
    for event in studio.ledger.history:
        if event.stream.startswith("app_config:"):
            configs[event.key] = configs.get(event.key, Config()).evolve(event)
    asked = [step.payload["input"] for step in studio.steps() if "ctx_key" in step.payload["input"]]
    assert [rerun(input_, configs[input_["ctx_key"]]) for input_ in asked] == studio.texts.bodies
    assert all(input_["ctx_id"].endswith(f":{input_['ctx_version']}") for input_ in asked)


async def test_a_refusal_is_never_a_prompt_and_costs_nothing():
    studio = Studio()
    studio.texts.fate.next = [REFUSED]
    await studio.still()
    await studio.attend()
    known = studio.known()
    assert known.failed.error_code == "CONTENT_REFUSED"
    assert (studio.wanted, studio.account().balance, studio.account().held) == ([], 100, 0)
    assert known.messages[-1].endswith("your matcha is yours still.")


async def test_an_answer_that_is_cut_is_asked_for_once_more_with_twice_the_tokens():
    studio = Studio()
    studio.texts.fate.next = ['{"clean_prompt": "half a']
    await studio.still()
    await studio.attend()
    first, second = (json.loads(body)["max_output_tokens"] for body in studio.texts.bodies[:2])
    assert (studio.known().status, second) == ("done", 2 * first)


async def test_an_answer_that_is_cut_twice_is_done_without():
    studio = Studio()
    studio.texts.fate.next = [None, NotWhole("cut"), NotWhole("cut")]
    await studio.still(assets={"product_image": ASSETS["product_image"]}, style="editorial")
    await studio.attend()
    assert studio.wanted[0].prompt == "a red cup\nStyle: editorial\na crt"
    failed = [step.payload["error"] for step in studio.steps()][1:3]
    assert [error["class"] for error in failed] == ["incomplete"] * 2
    assert studio.steps()[3].payload["output"]["fallback"] is True


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (WillNotWork("none left", error_class="quota"), "AI_CREDIT_EXHAUSTED"),
        (WillNotWork("malformed"), "PROVIDER_FAILED"),
    ],
)
async def test_what_nobody_can_wait_out_ends_it(failure, code):
    for of in ("texts", "starts"):
        studio = Studio()
        (studio.texts.fate if of == "texts" else studio.starts).next = [failure]
        await studio.still()
        await studio.attend()
        assert studio.known().failed.error_code == code
        assert studio.account().held == 0 and studio.account().balance == 100


async def test_what_passes_is_recorded_and_tried_again():
    studio = Studio()
    studio.texts.fate.next = [TryAgain("busy", after_s=5, error_class="throttled")]
    await studio.still()
    with pytest.raises(TryAgain):
        await studio.attend()
    assert studio.steps()[0].payload["error"] == {"class": "throttled", "reason": "busy"}
    assert (await studio.until_done()).status == "done"


async def test_a_video_is_asked_for_once_and_polled():
    studio = Studio()
    studio.polls.next = ["working", "working"]
    await studio.video(assets={"image": f"{BASE}/a.png", "end_image": f"{BASE}/b.png"})
    await studio.attend()
    assert studio.known().media.task_id == f"task-{FIRST}"
    known = await studio.until_done()
    assert (known.status, len(studio.wanted), known.delivered.content_type) == (
        "done",
        1,
        "video/mp4",
    )
    assert studio.wanted[0].images == {"image": f"{BASE}/a.png", "end_image": f"{BASE}/b.png"}
    assert "temporary" not in str(studio.events())


async def test_a_lost_call_for_a_video_is_looked_up_and_not_made_again():
    studio = Studio()
    studio.starts.next = ["lost"]
    await studio.video()
    with pytest.raises(OutcomeUnknown):
        await studio.attend()
    assert (await studio.until_done()).status == "done"
    assert studio.tasks == Counter({FIRST: 1}) and len(studio.steps()) == 2


async def test_a_lost_picture_is_made_again_at_our_cost():
    studio = Studio()
    studio.starts.next = ["lost"]
    await studio.still()
    known = await studio.until_done()
    assert known.status == "done" and studio.tasks.total() == 2
    assert studio.account().balance == 99


async def test_a_picture_that_waits_for_its_store_is_not_bought_again():
    studio = Studio()
    studio.puts.next = [TryAgain("s3: down"), TryAgain("s3: down")]
    await studio.still()
    assert (await studio.until_done()).status == "done"
    assert studio.tasks.total() == 1


async def test_a_picture_that_was_stored_before_a_death_is_found_again():
    studio = Studio()
    studio.dies_once = "stored"
    await studio.still()
    known = await studio.until_done()
    assert known.status == "done" and studio.tasks.total() == 1


async def test_a_task_that_fails_is_tried_again_and_a_third_time_and_no_more():
    studio = Studio()
    studio.polls.next = [WillNotWork("kling: broken", error_class="transient")] * 3
    await studio.video()
    known = await studio.until_done()
    assert known.failed.error_code == "PROVIDER_FAILED" and len(studio.wanted) == 3
    assert [wanted.attempt for wanted in studio.wanted] == [1, 2, 3]


async def test_a_last_look_that_fails_holds_up_nothing():
    studio = Studio()
    studio.texts.fate.next = [None, REFUSED]
    await studio.still()
    await studio.attend()
    assert [step.payload["error"] is None for step in studio.steps()] == [True, True, False]
    assert studio.known().status == "done"


async def test_what_comes_after_the_deadline_is_kept_and_not_paid_for():
    studio = Studio()
    studio.polls.next = ["working"] * 3
    await studio.video()
    await studio.attend()
    studio.ledger.later(15 * 60)
    await studio.end()
    assert studio.known().failed.error_code == "TIMED_OUT" and studio.account().held == 0
    known = await studio.until_done()
    assert known.late_url and known.delivered is None and studio.account().balance == 100


@pytest.mark.parametrize("dies", ["before it is recorded", "at the last look"])
async def test_what_was_made_and_is_not_wanted_any_more_is_kept_as_late(dies):
    studio = Studio()
    await studio.still()
    if dies == "at the last look":
        studio.texts.fate.next = [None, Crash()]
    else:
        studio.dies_once = "stored"
    with pytest.raises(Crash):
        await studio.attend()
    studio.open()
    await studio.desk.do(CancelCreation(generation_id=FIRST), cause="test")
    known = await studio.until_done()
    assert (known.status, known.delivered, studio.account().balance) == ("cancelled", None, 100)
    assert known.late_url == studio.store.kept[FIRST].url


async def test_nobody_waits_for_ever_for_what_never_comes():
    studio = Studio()
    studio.polls.next = ["working"] * 10
    await studio.video()
    await studio.attend()
    studio.ledger.later(15 * 60 + 3_601)
    known = await studio.until_done()
    assert not known.late_url and studio.events()[-1].reason == "nothing came in time"


async def test_a_tweak_starts_from_the_picture_and_the_prompt_before():
    second = FIRST.replace("1", "2")
    studio = Studio()
    await studio.still(assets=ASSETS)
    await studio.attend()
    await studio.tweak(second, FIRST, "I hate the light")
    await studio.attend(second)
    before = studio.known().delivered.output_url
    said = json.loads(plain(studio.steps(second)[0].payload["input"]["said"]))
    assert said["previous_prompt"] == "a clean_prompt" and said["output_caption"] == "a crt"
    assert studio.steps(second)[0].payload["input"]["images"] == [before]
    assert studio.wanted[-1].images["previous"] == before
    assert studio.known(second).status == "done" and studio.account().balance == 98


async def test_the_reader_is_told_what_was_liked():
    second = FIRST.replace("1", "2")
    studio = Studio()
    await studio.still(style="editorial")
    await studio.attend()
    like = SayEvent(generation_id=FIRST, event_id="e1", type="like")
    await studio.desk.do(like, cause="test")
    studio.felt.ids = [FIRST]
    await studio.still(second)
    await studio.attend(second)
    said = json.loads(plain(studio.steps(second)[0].payload["input"]["said"]))
    assert said["style_history_csv"] == (
        "signal,weight,kind,style,aspect_ratio,prompt\n"
        "like,100,still,editorial,1:1,a clean_prompt\n"
    )


async def test_a_second_worker_records_nothing_twice():
    studio = Studio()
    await studio.still()
    both = await asyncio.gather(studio.attend(), studio.attend(), return_exceptions=True)
    assert both == [None, None]
    assert [step.step_type for step in studio.steps()] == [
        "gpt_reader",
        "seedream_generate",
        "post_scan",
    ]
    assert studio.account().balance == 99


@pytest.mark.parametrize("kind", ["still", "video"])
async def test_a_death_between_any_two_calls_costs_nobody_anything_twice(kind):
    calls = await lives_until(kind, -1)
    for dies_at in range(1, calls + 1):
        await lives_until(kind, dies_at)


async def lives_until(kind: str, dies_at: int) -> int:
    """A whole story, with one death; how many calls it took."""
    studio = Studio()
    studio.polls.next = ["working"]
    await getattr(studio, kind)()
    began, studio.calls, studio.deaths = studio.calls, 0, {dies_at}
    assert began and (await studio.until_done()).status == "done"
    account = studio.account()
    assert (account.balance, account.held) == (99, 0), dies_at
    assert [step.step_no for step in studio.steps()] == list(range(1, len(studio.steps()) + 1))
    names = [type(event).__name__ for event in studio.events()]
    assert names.count("CreationDelivered") == 1
    assert studio.tasks.total() <= (2 if kind == "still" else 1)
    return studio.calls
