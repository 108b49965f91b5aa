"""statement: what a pass has paid, and what became of every unit of it.

Paid = delivered + credit + refund due + refunded + expired + in flight, per asset. A payment counts
once it is settled; one that a reorg takes away counts no more. It is in flight until the image is
stored (and, for `role_mint_final`, the token minted), then delivered. What cannot fund an order
(a second payment, a foreign payer, too little) and what goes beyond the price is refund due, to be
judged by an operator. `contract.md` §8.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ledger.codec import Recorded
from projections.batch_book import BatchBook
from projections.book import OUTCOMES, Book, Line
from projections.level_book import LevelBook
from projections.matcha_book import MatchaBook
from projections.role_mint_book import RoleMintBook
from projections.x402_book import X402Book

__all__ = ["OUTCOMES", "STREAMS", "make_statement"]
STREAMS = ("order", "character", "batch", "upgrade", "credit_account", "credit_transaction")
"""Kinds of records that streams of a statement have: that of a credit account has both kinds."""


def make_statement(
    pass_id: str, history: Iterable[Recorded], *, position: int, head_hash: str
) -> dict[str, Any]:
    """The unsigned statement of a pass over the events of the streams of STREAMS.

    `history` in ledger order, up to `position`, whose hash is `head_hash`. Amounts are strings.
    """
    books: list[Book] = [RoleMintBook(), X402Book(), BatchBook(), LevelBook(), MatchaBook()]
    for recorded in history:
        for book in books:
            book.add(recorded)
    found = [line for book in books for line in book.lines()]
    lines = sorted(found, key=lambda line: (line.position, line.outcome))
    paid: dict[str, int] = defaultdict(int)
    for book in books:
        for asset, amount in book.paid.items():
            paid[asset] += amount
    assets = {asset: _totals(amount, asset, lines) for asset, amount in sorted(paid.items())}
    return {
        "pass_id": pass_id,
        "position": position,
        "head_hash": head_hash,
        "assets": assets,
        "lines": [line.spoken() for line in lines],
    }


def _totals(paid: int, asset: str, lines: Iterable[Line]) -> dict[str, str]:
    sums = dict.fromkeys(OUTCOMES, 0)
    for line in lines:
        if line.asset == asset:
            sums[line.outcome] += line.amount
    if paid != sum(sums.values()):
        raise Unbalanced(f"{asset}: paid {paid}, accounted for {sums}")
    return {"paid": str(paid), **{name: str(amount) for name, amount in sums.items()}}


class Unbalanced(Exception):
    """A bug: what was paid is not what became of it. Such a statement is never signed."""
