"""How a generation and what is held for it end together."""

from __future__ import annotations

from typing import Any

import pytest

from commands.command import Command
from commands.generations import Deliver
from commands.matcha import ExpireMatcha
from commands.passes import OpenPass
from domain.generation import HOLD, Generation
from domain.generation_events import CreationFailed, generation_stream
from domain.matcha import MatchaAccount, matcha_stream
from tests.commands.memory import Memory
from tests.studio.making import Grant, begin_still, make

ANN = "pass:user:ann"


@pytest.mark.parametrize("pause", [0, HOLD.total_seconds()])
async def test_what_is_delivered_is_paid_for_even_by_a_process_that_stood_still(
    pause: float,
) -> None:
    """It looked at the clock, stood still, and decides by that moment; the hold has ended."""
    memory = Memory()

    async def do(command: Command) -> Any:
        looked_at = memory.now
        if isinstance(command, Deliver) and pause:
            memory.later(pause)
            memory.do(ExpireMatcha(owner=ANN))
        memory.now = looked_at
        return memory.do(command)

    memory.do(OpenPass(new_pass_id=ANN))
    memory.do(Grant(to=ANN, amount=3))
    id_ = await begin_still(do, ANN)
    await make(do, id_)
    known: Generation = memory.state(generation_stream(id_))
    account: MatchaAccount = memory.state(matcha_stream(ANN))
    assert (known.status, account.balance) == (("failed", 3) if pause else ("done", 2))
    assert account.held == 0
    if pause:
        (failed,) = (e for e in memory.history if isinstance(e, CreationFailed))
        assert failed.error_code == "TIMED_OUT"
