"""What GPT is told, and what of its answers may become a prompt."""

from __future__ import annotations

import json

import pytest

from consumers.gateways.mma_ports import NotWhole
from tests.reactions.studio import Studio


@pytest.mark.parametrize(
    "said",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m unable to generate this.",
        "Unfortunately, I cannot comply.",
        "As an AI model, I can't create pictures of people.",
    ],
)
async def test_a_refusal_in_the_place_of_the_words_is_none_either(said):
    words = {"clean_prompt": said, "userMessage_final": "Sorry!"}
    for answer in (said, json.dumps(words)):
        studio = Studio()
        studio.texts.fate.next = [answer]
        await studio.still()
        await studio.attend()
        assert studio.known().failed.error_code == "CONTENT_REFUSED"
        assert (studio.wanted, studio.account().balance, studio.account().held) == ([], 100, 0)


@pytest.mark.parametrize(
    "said",
    ["Sorry board game on a table", "I can't stand the light. Softer", "A sign: we cannot help it"],
)
async def test_words_that_only_sound_like_one_are_a_prompt(said):
    studio = Studio()
    words = {"clean_prompt": said, "userMessage_final": "Here."}
    studio.texts.fate.next = [json.dumps(words)]
    await studio.still()
    await studio.attend()
    assert studio.wanted[0].prompt == said


async def test_a_movement_style_is_told_to_who_writes_the_prompt():
    studio = Studio()
    await studio.video(brief="The steam rises", settings={"movement_style": "slow orbit"})
    await studio.attend()
    (body,) = (json.loads(body) for body in studio.texts.bodies)
    (told,) = (each for each in body["input"][0]["content"] if each["type"] == "input_text")
    said = {"wish": "The steam rises", "movement_style": "slow orbit"}
    assert json.loads(told["text"]) == said


async def test_a_movement_style_is_kept_when_nobody_writes_the_prompt():
    studio = Studio()
    studio.texts.fate.next = [NotWhole("cut"), NotWhole("cut")]
    await studio.video(settings={"movement_style": "slow orbit"})
    await studio.attend()
    assert studio.wanted[0].prompt == "Move it gently.\nMovement: slow orbit"
