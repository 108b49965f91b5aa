"""What waits leaves together, in order, and never twice over the same thing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from ledger.coalesce import Coalescer


class Calls:
    """Answers each question with its number of touches, and remembers how they came."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = asyncio.Event()

    async def __call__(self, batch: list[str]) -> list[int | BaseException]:
        self.batches.append(batch)
        self.begun.set()
        await asyncio.sleep(0.0)
        if "break" in batch:
            raise RuntimeError("the call broke")
        return [ValueError(text) if text == "bad" else len(text) for text in batch]


async def asked(calls: Calls, *texts: str, limit: int = 100) -> list[int | BaseException]:
    coalescer = Coalescer(calls, limit=limit, weight=len, touches=set)
    waiting: list[Awaitable[int]] = [coalescer.ask(text) for text in texts]
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_questions_that_touch_nothing_in_common_leave_together() -> None:
    calls = Calls()
    assert await asked(calls, "a", "bc", "d") == [1, 2, 1]
    assert calls.batches == [["a", "bc", "d"]]


async def test_two_that_touch_the_same_never_share_a_batch_and_keep_their_order() -> None:
    calls = Calls()
    await asked(calls, "ab", "bc", "c", "d", "a")
    assert calls.batches == [["ab", "d"], ["bc", "a"], ["c"]]


async def test_a_batch_weighs_no_more_than_the_limit_unless_one_alone_does() -> None:
    calls = Calls()
    await asked(calls, "abc", "de", "f", "ghijklm", "n", limit=5)
    assert calls.batches == [["abc", "de"], ["f"], ["ghijklm"], ["n"]]


async def test_an_exception_is_the_answer_of_one_and_a_broken_call_that_of_all() -> None:
    answers = await asked(Calls(), "bad", "x")
    assert isinstance(answers[0], ValueError)
    assert answers[1] == 1
    broken = await asked(Calls(), "break", "x")
    assert [type(answer) for answer in broken] == [RuntimeError, RuntimeError]


async def test_who_stops_waiting_takes_nobody_along() -> None:
    calls = Calls()
    coalescer = Coalescer(calls, limit=100)
    impatient = asyncio.create_task(coalescer.ask("a"))
    patient = asyncio.create_task(coalescer.ask("bb"))
    await asyncio.sleep(0.0)
    impatient.cancel()
    assert await patient == 2
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await coalescer.drain()
    assert await coalescer.ask("ccc") == 3


async def test_callers_out_of_step_come_to_share_their_calls() -> None:
    calls = Calls()
    coalescer = Coalescer(calls, limit=100)

    async def ask(text: str) -> None:
        for _ in range(4):
            await coalescer.ask(text)

    early = asyncio.create_task(ask("a"))
    await calls.begun.wait()
    await asyncio.gather(early, ask("b"))
    assert [sorted(batch) for batch in calls.batches] == [["a"], *[["a", "b"]] * 3, ["b"]]


async def test_who_does_not_come_back_is_not_waited_for_long() -> None:
    calls = Calls()
    coalescer = Coalescer(calls, limit=100)
    once = asyncio.create_task(coalescer.ask("a"))
    await calls.begun.wait()
    assert await asyncio.gather(once, coalescer.ask("b")) == [1, 1]
    assert calls.batches == [["a"], ["b"]]
