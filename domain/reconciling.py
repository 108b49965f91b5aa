"""Where ledger and chain differ about a level token, and what kind of difference it is.

The chain is right about whose a token is: what it shows of a token that we know corrects the
ledger, and a burn or mint that we missed is counted as if we had seen it at once. Whatever the
rules do not settle is left to a person. Seed 002, "Database-Blockchain Sync Issues";
`decisions.md` C19. What the chain shows is always finalized.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.upgrade import CONFLICTS, LevelToken, Upgrade
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import BurnConfirmed, Discrepancy

Kind = Discrepancy | Literal["burn_missed", "mint_missed"]


@dataclass(frozen=True, slots=True)
class Difference:
    """In `field` of the token of `mint`. `upgrade_id` is of the attempt that made the token, or
    that missed its burn or mint; empty when none of ours did."""

    kind: Kind
    mint: str
    upgrade_id: str
    field: str
    ledger_value: str
    chain_value: str
    slot: int

    @property
    def review(self) -> bool:
        """Whether a person has to look at it."""
        return self.kind == "sent_away" or self.kind in CONFLICTS


@dataclass(frozen=True, slots=True)
class ShownMint:
    """A token as the transaction shows it by which our authority minted it."""

    mint: str
    owner: str
    level: int
    cid: str
    slot: int


def believed(upgrade: Upgrade) -> tuple[LevelToken, ...]:
    """The tokens of which the ledger says where they are, or were before they left."""
    token = (upgrade.token,) if upgrade.token else ()
    return (*token, *(each for mint, each in upgrade.away.items() if not _is(upgrade.token, mint)))


def of_holding(upgrade: Upgrade, mint: str, owner: str, slot: int) -> Difference | None:
    """At `slot` the wallet `owner` has the token of `mint`, or there is no such mint (empty).

    What the chain showed before the ledger's own knowledge says nothing.
    """
    token, away = upgrade.token, upgrade.away.get(mint)
    if token and token.mint == mint:
        if slot < token.slot or owner == token.owner:
            return None
        kind: Kind = "sent_away" if owner else "vanished"
        return Difference(kind, mint, token.upgrade_id, "owner", token.owner, owner, slot)
    if away is None or owner != away.owner or slot < away.slot:
        return None
    if not upgrade.gone_on(mint):
        return Difference("came_back", mint, away.upgrade_id, "owner", "", owner, slot)
    if not (token or upgrade.recovery):
        return None  # an attempt goes on: whether there will be another token is not known yet
    return Difference("unknown_token", mint, away.upgrade_id, "token", "another", owner, slot)


def of_burn(
    upgrade: Upgrade, mint: str, owner: str, signature: str, slot: int, named: str
) -> Difference | None:
    """Transaction `signature` burned the token of `mint`; its memo names the attempt `named`."""
    match upgrade.burn(mint, owner, signature, slot, named):
        case [BurnConfirmed(upgrade_id=id_)]:
            return Difference("burn_missed", mint, id_, "token", owner, "burned", slot)
    for token in believed(upgrade):
        if token.mint == mint:
            about = (mint, token.upgrade_id, "token", token.owner, "burned", slot)
            return Difference("burned_outside", *about)
    return None


def of_mint(upgrade: Upgrade, upgrade_id: str, shown: ShownMint) -> Difference | None:
    """Our authority minted the token of an attempt."""
    attempt = upgrade.attempts.get(upgrade_id)
    if attempt is None or not (attempt.minted or _due(upgrade, attempt)):
        return unknown(shown, upgrade_id)
    for field, wanted, value in _compared(attempt, shown):
        if value not in wanted:
            expected = " or ".join(sorted(wanted))
            about = (shown.mint, upgrade_id, field, expected, value, shown.slot)
            return Difference("level_mismatch", *about)
    if attempt.minted:
        return None
    about = (shown.mint, upgrade_id, "token", "owed", _spoken(shown), shown.slot)
    return Difference("mint_missed", *about)


def unknown(shown: ShownMint, upgrade_id: str = "") -> Difference:
    """No attempt of ours has this mint, or the one that has it may have no token."""
    return Difference(
        "unknown_token", shown.mint, upgrade_id, "token", "none", _spoken(shown), shown.slot
    )


def _due(upgrade: Upgrade, attempt: Attempt) -> bool:
    """Whether its token would be the only one of the pass: what it gives up is burned, or burns in
    the same transaction."""
    burns, token = attempt.terms.burns, upgrade.token
    if attempt.burn:
        return True
    if not burns:
        return token is None and upgrade.recovery is None
    there = _is(token, burns) or (token is None and burns in upgrade.away)
    return attempt.terms.recipe == "nft_exchange" and there


def _compared(attempt: Attempt, shown: ShownMint) -> Sequence[tuple[str, frozenset[str], str]]:
    """Each field with the values it may have. Level and metadata belong together: a mint that was
    signed before a compensation may land after it."""
    terms, minted, alive = attempt.terms, attempt.minted, attempt.alive
    if minted:
        good = {(minted.level, minted.cid)}
    else:
        good = {(terms.level, terms.cid), (attempt.level, attempt.cid)}
        good |= {(alive.level, alive.cid)} if alive else set()
    levels = frozenset(str(level) for level, _ in good)
    cids = frozenset(cid for level, cid in good if level == shown.level)
    return (
        ("owner", frozenset({terms.wallet}), shown.owner),
        ("level", levels, str(shown.level)),
        ("metadata", cids, shown.cid),
    )


def _is(token: LevelToken | None, mint: str) -> bool:
    return token is not None and token.mint == mint


def _spoken(shown: ShownMint) -> str:
    return f"level {shown.level} of {shown.owner}"
