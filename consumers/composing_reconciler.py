"""What the ledger is compared with, put together from the settings."""

from __future__ import annotations

import httpx

from consumers import composing_solana as solana
from consumers.level_check import LevelCheck
from consumers.reactions.promise import Desk
from consumers.reconciler import Check
from settings import Settings


def checks(settings: Settings, desk: Desk, asked: httpx.AsyncClient) -> list[Check]:
    """All comparisons, in the order of a round; `asked` may be a client for questions only."""
    return [LevelCheck(desk, solana.levels(settings, solana.solana_chain(settings, asked)))]
