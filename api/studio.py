"""What the studio's routes work with besides the ledger: turns for creations, and GPT."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from commands.together import Together

AskText = Callable[[bytes, str], Awaitable[str]]
"""Posts a request's bytes to GPT and gives the text that it wrote, which is never a refusal;
second, our reference. Raises TextFailed."""


class TextFailed(Exception):
    """GPT gave no text. `error_class` is one of the six of `providers.md` §0."""

    def __init__(self, error_class: str, reason: str) -> None:
        super().__init__(reason)
        self.error_class, self.reason = error_class, reason


@dataclass(frozen=True)
class Studio:
    """`suggesting` counts the suggestions that each pass waits for."""

    creations: Together
    ask: AskText
    suggesting: Counter[str] = field(default_factory=Counter)


def asking(ask: Callable[..., Awaitable[str]], failure: type[Exception]) -> AskText:
    """`ask(body, *, reference)` of a gateway, its failures, which are of the class `failure` and
    have an `error_class`, said as TextFailed."""

    async def asked(body: bytes, reference: str) -> str:
        try:
            return await ask(body, reference=reference)
        except failure as failed:
            error_class = getattr(failed, "error_class", "unknown")
            raise TextFailed(error_class, str(failed)) from failed

    return asked


async def nobody(body: bytes, reference: str) -> str:
    """In the place of a GPT that is not set up."""
    raise TextFailed("invalid", "GPT is not set up")
