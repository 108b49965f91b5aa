"""The making of a still or a video: intent, call, look-up, store, outcome (`providers.md` §2, §3).

One attempt is open at a time. It ends with a step, `<provider>_generate`, done or failed. Who died
in the middle looks first: into the store, then, where the maker can be asked, at the maker. A maker
that cannot be asked is asked to make it again, at our cost and never at the pass's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from commands.config import AdoptConfig
from commands.generations import MediaTaken, RequestMedia
from consumers.gateways.mma_ports import (
    Made,
    MediaProvider,
    MediaProviders,
    MediaStore,
    MediaWanted,
    StoredMedia,
    Submitted,
)
from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.reactions.mma_acts import Act, Book, cause_of, is_last, terms_of
from domain.briefing import pictures_of
from domain.event import secret
from domain.generation import Generation
from domain.pipeline import Planned, prompt_of
from domain.providers import REGISTRY_KEY, defaults_key

TASKS_MAX = 3
"""Tasks that may fail at the maker's before the generation does: each may cost something."""
MADE_MAX = 64

CallbackUrl = Callable[[str, str], str]
"""Name of a provider, id of a generation → where the provider may tell that it is done."""


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt, and who makes it."""

    known: Generation
    provider: MediaProvider
    wanted: MediaWanted
    act: Act

    @property
    def asks_back(self) -> bool:
        """Whether the maker can be asked what became of a lost call."""
        return self.provider.asynchronous and self.provider.recoverable


class Making:
    def __init__(
        self, book: Book, providers: MediaProviders, store: MediaStore, callback: CallbackUrl
    ) -> None:
        self._book, self._providers = book, providers
        self._store, self._callback = store, callback
        # Made at once and paid for; it waits for its store.
        self._made: dict[str, Made] = {}

    async def go_on(self, known: Generation, planned: Planned) -> bool:
        """Opens an attempt or goes on with the open one. False: it is being worked on.

        Raises the failure that passes by waiting. After the end nothing is asked for any more.
        """
        try:
            job = await self._job(known, planned)
        except WillNotWork as failure:
            await self._book.gave_up(known, self._unasked(known, planned), failure)
            return True
        fresh = known.media is None
        if fresh:
            await self._intend(job, planned)
            known = await self._book.see(terms_of(known).generation_id)
            if known.media is None or known.ended:
                return True
            job = replace(job, known=known)
        return await self._attempt(job, fresh)

    async def _attempt(self, job: Job, fresh: bool) -> bool:
        try:
            stored = await self._outcome(job, fresh)
        except WillNotWork as failure:
            await self._give_up(job, failure)
            return True
        if stored is None:
            return False
        made, facts = stored
        about = {name: value for name, value in asdict(made).items() if value is not None}
        output = {"output_url": about.pop("url"), **about, "model": job.provider.model}
        said = without_words(dict(facts), job.wanted.prompt)
        await self._book.succeeded(job.known, job.act, {**output, "response": said})
        return True

    async def _outcome(self, job: Job, fresh: bool) -> tuple[StoredMedia, Mapping[str, Any]] | None:
        media, id_ = job.known.media, job.wanted.generation_id
        assert media is not None
        if media.task_id:
            made = await job.provider.poll(media.task_id)
        elif fresh:
            made = await self._start(job)
        else:
            kept = None if job.provider.asynchronous else await self._store.find(id_)
            if kept:
                return kept, {}
            made = await self._resume(job)
        return await self._keep(job, made) if made else None

    async def _resume(self, job: Job) -> Made | None:
        """Nobody here remembers whether the maker was asked."""
        if before := self._made.get(job.wanted.reference):
            return before
        if job.asks_back and (found := await job.provider.find(job.wanted)):
            return await self._taken(job, found)
        if not job.known.underway:
            raise WillNotWork(f"{job.provider.name}: what became of it cannot be known")
        try:
            return await self._start(job)
        except WillNotWork:
            # It may be refused because the first call arrived after all.
            if job.asks_back and (found := await job.provider.find(job.wanted)):
                return await self._taken(job, found)
            raise

    async def _start(self, job: Job) -> Made | None:
        try:
            answer = await job.provider.start(job.wanted)
        except (TryAgain, OutcomeUnknown) as failure:
            if not (job.asks_back and isinstance(failure, OutcomeUnknown)):
                await self._give_up(job, failure)
            raise
        return await self._taken(job, answer)

    async def _taken(self, job: Job, answer: Made | Submitted) -> Made | None:
        if isinstance(answer, Made):
            return answer
        assert job.known.media is not None
        taken = MediaTaken(
            generation_id=job.wanted.generation_id,
            attempt=job.known.media.attempt,
            task_id=answer.task_id,
        )
        await self._book.desk.do(taken, cause=cause_of(job.known))
        return None

    async def _keep(self, job: Job, made: Made) -> tuple[StoredMedia, Mapping[str, Any]]:
        reference = job.wanted.reference
        self._remember(job, made)
        try:
            content, content_type = await job.provider.fetch(made)
        except TryAgain as failure:
            if made.content is not None:
                self._made.pop(reference, None)
                await self._give_up(job, failure)
            raise
        stored = await self._store.put(job.wanted.generation_id, content, content_type)
        self._made.pop(reference, None)
        return stored, made.facts

    def _remember(self, job: Job, made: Made) -> None:
        """A task can be asked for its output again, and whoever answers at once cannot."""
        if job.provider.asynchronous:
            return
        self._made[job.wanted.reference] = made
        while len(self._made) > MADE_MAX:
            del self._made[next(iter(self._made))]

    async def _give_up(self, job: Job, failure: Failure) -> None:
        """The attempt is over; with it the generation, unless another may do better."""
        before = len(job.known.failures(job.act.type))
        passing = isinstance(failure, WillNotWork) and failure.error_class == "transient"
        last = before + 1 >= TASKS_MAX if passing else is_last(before, failure)
        record = self._book.gave_up if last else self._book.failed
        await record(job.known, job.act, failure)

    async def _intend(self, job: Job, planned: Planned) -> None:
        intent = RequestMedia(
            generation_id=job.wanted.generation_id,
            provider=job.provider.name,
            model=job.provider.model,
            line=planned.line,
        )
        await self._book.desk.do(intent, cause=cause_of(job.known))

    async def _job(self, known: Generation, planned: Planned) -> Job:
        """WillNotWork when no row of config makes this one."""
        name = terms_of(known).provider
        registry = await self._config(known, REGISTRY_KEY)
        defaults = await self._config(known, defaults_key(name))
        row = next((row for row in registry["value"] if row["name"] == name), None)
        if row is None or defaults["value"] is None:
            raise WillNotWork(f"{name}: is not in the registry")
        provider = self._providers.of(row, defaults["value"])
        wanted = await self._wanted(known)
        request = without_words(provider.request_of(wanted), wanted.prompt)
        input_ = {
            "provider": name,
            "model": provider.model,
            "attempt": wanted.attempt,
            "reference": wanted.reference,
            "registry_id": registry["id"],
            "defaults_id": defaults["id"],
            "request": request,
        }
        began = known.media.requested_at if known.media else self._book.desk.now()
        act = Act(planned.type, input_, began, wanted.prompt, name, provider.model)
        return Job(known, provider, wanted, act)

    async def _wanted(self, known: Generation) -> MediaWanted:
        terms = terms_of(known)
        type_ = f"{terms.provider}_generate"
        tried = len([step for step in known.steps if step.type == type_])
        return MediaWanted(
            generation_id=terms.generation_id,
            attempt=known.media.attempt if known.media else tried + 1,
            kind=terms.mma_mode,
            prompt=prompt_of(known),
            images=pictures_of(known, await self._book.parent(known)),
            settings=terms.settings,
            callback_url=self._callback(terms.provider, terms.generation_id),
        )

    async def _config(self, known: Generation, key: str) -> dict[str, Any]:
        adopt = AdoptConfig(key=key)
        return (await self._book.desk.do(adopt, cause=cause_of(known))).answer.body

    def _unasked(self, known: Generation, planned: Planned) -> Act:
        name = terms_of(known).provider
        began = self._book.desk.now()
        return Act(planned.type, {"provider": name}, began, prompt_of(known), name)


def without_words(request: Any, prompt: str) -> Any:
    """A request as it is recorded: whatever has the prompt in it is a personal text."""
    if isinstance(request, dict):
        return {name: without_words(value, prompt) for name, value in request.items()}
    if isinstance(request, list):
        return [without_words(value, prompt) for value in request]
    return secret(request) if isinstance(request, str) and prompt and prompt in request else request
