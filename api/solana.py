"""What the PFP routes ask of Solana; composed in `__main__`, as they know no vendor.

Each of these is a question or a signature: none moves money. A question that cannot be answered
raises SolanaSilent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from domain.solana import Blockhash, Prepared


class PreparesMint(Protocol):
    """A payment of `lamports` and the mint of one token, in a transaction for `owner` to sign."""

    def __call__(
        self,
        *,
        owner: str,
        name: str,
        uri: str,
        reference: str,
        tree: str,
        lamports: int,
        blockhash: Blockhash,
    ) -> Prepared: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a request waits for a payment that was handed in, for one that is on its
    way, and for a token or its picture; and how often it looks."""

    handed_in_s: float = 3.0
    paid_s: float = 30.0
    made_s: float = 55.0
    look_s: float = 0.1


@dataclass(frozen=True, slots=True)
class Solana:
    """`price`: lamports a token. `pay`: (wallet, lamports, reference, blockhash) → a payment, ours
    signed. `complete`: (prepared, wallet, handed in) → the whole transaction. `failure`: why a
    signed transaction would fail now, empty when it would not. `seen`: whether the chain knows a
    signature. `height`: of the newest confirmed block. `minter`: who mints by `prepare_mint`;
    `authority`: whose trees are minted into, empty for a minter that needs none."""

    price: int
    treasury: str
    authority: str
    blockhash: Callable[[], Awaitable[Blockhash]]
    pay: Callable[[str, int, str, Blockhash], Prepared]
    complete: Callable[[Prepared, str, str], str]
    failure: Callable[[str], Awaitable[str]]
    seen: Callable[[str], Awaitable[bool]]
    height: Callable[[], Awaitable[int]]
    prepare_mint: PreparesMint
    minter: str
    patience: Patience = Patience()
