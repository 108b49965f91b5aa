"""Taste: what a pass did with its newest creations, as `style_history_csv` (seed 001 §6.2).

Columns: `signal` (like, download or dislike), `weight` (percent: the newest weighs 100, the oldest
of n weighs 100/n; a download half of a like, a dislike as much as a like with a minus), `kind`,
`style`, `aspect_ratio`, `prompt`. One row a creation, newest first; the same history gives the same
bytes. How many are looked at is config `mma.taste`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from domain.generation import Generation
from domain.generation_echo import Echo
from domain.pipeline import prompt_of

COLUMNS = ("signal", "weight", "kind", "style", "aspect_ratio", "prompt")
_PERCENT = {"like": 100, "dislike": -100, "download": 50}


def style_history_csv(felt: Sequence[Generation]) -> str:
    """Of creations that were liked, disliked or downloaded, newest first. Empty without any."""
    if not felt:
        return ""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for rank, known in enumerate(felt):
        signal = signal_of(known.echo)
        weight = _PERCENT[signal] * (len(felt) - rank) // len(felt)
        rows.writerow((signal, weight, *_about(known)))
    return text.getvalue()


def signal_of(echo: Echo) -> str:
    """What counts most of what was done with a creation; empty: nothing."""
    known = {"like": echo.liked, "dislike": echo.disliked, "download": echo.downloaded}
    return next((signal for signal, did in known.items() if did), "")


def _about(known: Generation) -> tuple[str, ...]:
    terms = known.terms
    assert terms is not None
    ratio = str(terms.settings.get("aspect_ratio", ""))
    words = " ".join(prompt_of(known).split())
    return terms.mma_mode, terms.style or "None", ratio, words
