"""The GPT steps of a generation: scans, prompts, the last look; each asked, read and recorded.

A refusal is never a prompt. An answer that was cut is asked for once more with twice the tokens,
then something plain stands in for it (`providers.md` §4). What was sent can be built again from
what is recorded, byte by byte: `rerun`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import reduce
from hashlib import sha256
from typing import Any

from commands.command import look
from commands.config import AdoptConfig, SeeConfig
from consumers.gateways.mma_ports import Felt, NotWhole, Texts
from consumers.gateways.ports import Failure, OutcomeUnknown, WillNotWork
from consumers.reactions.mma_acts import CUT, Act, Book, cause_of, is_last, terms_of
from domain.briefing import PROMPT_MAX, Briefing, Taste, briefing_of
from domain.config import Config
from domain.contexts import canonical, declines, request_of
from domain.event import plain, secret
from domain.generation import Generation
from domain.pipeline import Planned
from domain.preferences import Preferences, preferences_stream
from domain.studio_config import TASTE_KEY, taste_of
from domain.taste import style_history_csv

CUTS_MAX = 2
TEXT_MAX = 8_000
LINE_MAX = 300
LAST_LOOK_S = 20.0
LINE = "userMessage_final"
PROMPT = "clean_prompt"


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent, and what is recorded of it."""

    body: bytes
    input: dict[str, Any]
    fields: frozenset[str]
    model: str


class GptSteps:
    def __init__(self, book: Book, texts: Texts, felt: Felt) -> None:
        self._book, self._texts, self._felt = book, texts, felt

    async def take(self, known: Generation, planned: Planned) -> None:
        """Records the step, done or failed. Raises the failure that passes by waiting."""
        briefing = await self._briefing(known, planned)
        question = await self._question(known, planned, briefing)
        act = self._act(planned, question, briefing)
        if _cuts(known, planned) >= CUTS_MAX:
            await self._do_without(known, planned, act, briefing)
            return
        try:
            said = await self._ask(known, question)
        except Failure as failure:
            await self._fail(known, act, failure)
        else:
            output = {name: secret(text) for name, text in named(said, planned).items()}
            await self._book.succeeded(known, act, output, said.get(LINE, "")[:LINE_MAX])

    async def look_back(self, known: Generation, planned: Planned) -> None:
        """The look at what was made: once, for a while, and nothing depends on it."""
        briefing = await self._briefing(known, planned)
        question = await self._question(known, planned, briefing)
        act = self._act(planned, question, briefing)
        try:
            async with asyncio.timeout(LAST_LOOK_S):
                said = await self._ask(known, question)
        except TimeoutError:
            silent = OutcomeUnknown("openai: no answer in time", reference=planned.type)
            await self._book.failed(known, act, silent)
        except Failure as failure:
            await self._book.failed(known, act, failure)
        else:
            output = {name: secret(text) for name, text in named(said, planned).items()}
            await self._book.succeeded(known, act, output)

    async def _briefing(self, known: Generation, planned: Planned) -> Briefing:
        parent = await self._book.parent(known)
        taste = await self._taste(known) if planned.type == "gpt_reader" else Taste()
        return briefing_of(known, planned, parent, taste)

    async def _taste(self, known: Generation) -> Taste:
        desk = self._book.desk
        asked = SeeConfig(key=TASTE_KEY)
        most = taste_of(asked.config(await look(desk.ledger, asked)).value(TASTE_KEY))
        owner = await self._book.owner(terms_of(known).generation_id)
        ids = await self._felt.newest(owner, most) if most else []
        felt = [await self._book.see(id_) for id_ in ids]
        chosen = preferences_stream(owner)
        said = (await desk.ledger.streams([chosen]))[chosen].events
        preferences = reduce(Preferences.evolve, said, Preferences())
        return Taste(style_history_csv(felt), asdict(preferences))

    async def _question(self, known: Generation, planned: Planned, briefing: Briefing) -> Question:
        adopt = AdoptConfig(key=planned.context)
        row = (await self._book.desk.do(adopt, cause=cause_of(known))).answer.body
        context = row["value"]
        tokens = context["max_output_tokens"] * (2 if _cuts(known, planned) else 1)
        body = request_of(context, briefing.said, briefing.images, tokens)
        input_ = {
            "ctx_key": row["key"],
            "ctx_version": row["version"],
            "ctx_id": row["id"],
            "said": secret(canonical(briefing.said).decode()),
            "images": list(briefing.images),
            "max_output_tokens": tokens,
            "request_sha256": sha256(body).hexdigest(),
        }
        return Question(body, input_, frozenset(context["fields"]), context["model"])

    def _act(self, planned: Planned, question: Question, briefing: Briefing) -> Act:
        words = " ".join(text for text in briefing.said.values() if isinstance(text, str))
        began = self._book.desk.now()
        return Act(planned.type, question.input, began, words, "openai", question.model)

    async def _ask(self, known: Generation, question: Question) -> dict[str, str]:
        reference = f"{terms_of(known).generation_id}/{len(known.steps) + 1}"
        return read(await self._texts.ask(question.body, reference=reference), question.fields)

    async def _fail(self, known: Generation, act: Act, failure: Failure) -> None:
        if is_last(len(known.failures(act.type)), failure):
            await self._book.gave_up(known, act, failure)
            return
        await self._book.failed(known, act, failure)
        if not isinstance(failure, NotWhole):
            raise failure

    async def _do_without(
        self, known: Generation, planned: Planned, act: Act, briefing: Briefing
    ) -> None:
        instead = {planned.gives or PROMPT: secret(briefing.instead), "fallback": True}
        unasked = Act(act.type, {**act.input, "request_sha256": None}, act.started_at)
        await self._book.succeeded(known, unasked, instead)


def rerun(input_: Mapping[str, Any], config: Config) -> bytes:
    """The request of a recorded GPT step again, from its input and the config that it names."""
    context = config.at(input_["ctx_key"], input_["ctx_version"])
    said = json.loads(plain(input_["said"]))
    return request_of(context, said, input_["images"], input_["max_output_tokens"])


def read(text: str, fields: frozenset[str]) -> dict[str, str]:
    """The texts of an answer, exactly the ones that were asked for. WillNotWork when it says no in
    their place, NotWhole for anything else."""
    try:
        told = json.loads(text)
    except ValueError:
        _must_not_decline(text)
        raise NotWhole("openai: the answer is no JSON") from None
    if not isinstance(told, dict) or told.keys() != fields:
        raise NotWhole("openai: the answer has other members than were asked for")
    if not all(isinstance(one, str) and one.strip() for one in told.values()):
        raise NotWhole("openai: the answer lacks a text")
    if any("\0" in one for one in told.values()):
        raise NotWhole("openai: the answer has U+0000 in a text")
    _must_not_decline(told.get(PROMPT, ""))
    if max(map(len, told.values())) > TEXT_MAX or len(told.get(PROMPT, "")) > PROMPT_MAX:
        raise NotWhole("openai: the answer is longer than anybody reads")
    return told


def _must_not_decline(text: str) -> None:
    if declines(text):
        raise WillNotWork("openai: the model said no", error_class="refused")


def named(said: Mapping[str, str], planned: Planned) -> dict[str, str]:
    """An answer by the names of seed 001: a scan gives its own caption."""
    if not planned.gives:
        return dict(said)
    return {planned.gives if name == "crt" else name: text for name, text in said.items()}


def _cuts(known: Generation, planned: Planned) -> int:
    """How often in a row, just now, its answer was cut."""
    return sum(step.error == CUT for step in known.failures(planned.type))
