"""How a long-running part of a process ends: soon after it is asked, and never in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until_stopped(
    work: Coroutine[Any, Any, None], stop: asyncio.Event, *, grace_s: float
) -> None:
    """Runs `work`; once `stop` is set it has `grace_s` seconds to end, then it is cancelled."""
    task = asyncio.create_task(work)
    asked = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait({task}, timeout=grace_s)
    finally:
        asked.cancel()
        task.cancel()
        await asyncio.wait({task})
    if not (task.cancelled() and stop.is_set()):
        task.result()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits, but not longer than until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
