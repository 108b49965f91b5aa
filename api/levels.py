"""What the level routes ask of Solana and its tokens; composed in `__main__`, as they know no
vendor.

Each of these is arithmetic, a signature or a question: none moves money.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.solana import Blockhash, Prepared
from domain.upgrade_events import UpgradeRecipe, UpgradeRequested


@dataclass(frozen=True, slots=True)
class Levels:
    """`recipe`: how tokens are upgraded here. `mint_of`: the mint's address of an upgrade's id.
    `metadata`: (level, upgrade id) → its JSON and the CID of that. `prepare`: the wallet's
    transaction. `complete`: (prepared, wallet, handed in) → the whole transaction. `signature_of`:
    the id of one that is signed. `held`: (mint, wallet) → whether the chain shows, finalized, that
    the wallet has the token; raises SolanaSilent."""

    recipe: UpgradeRecipe
    mint_of: Callable[[str], str]
    metadata: Callable[[int, str], tuple[str, str]]
    prepare: Callable[[UpgradeRequested, Blockhash], Prepared]
    complete: Callable[[Prepared, str, str], str]
    signature_of: Callable[[str], str]
    held: Callable[[str, str], Awaitable[bool]]
