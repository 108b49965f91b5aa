"""What one endpoint tells of level tokens: facts only, all of them finalized.

A token is found by its mint's address, never by a signature: the wallet may have sent another
transaction than the one that was prepared, or sent it itself. The memo says level and metadata, and
the whole transaction is signed by our authority, so that nobody else writes one. Whether endpoints
agree is judged by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consumers.gateways import solana_json as read
from consumers.gateways import solana_node as says
from consumers.gateways import solana_tokens as tokens
from consumers.gateways import solana_wire as wire
from consumers.gateways.json_rpc import Endpoint
from consumers.gateways.level_ports import BurnSeen, Holding, LevelMintSeen
from consumers.gateways.solana_search import Searches
from domain.solana import Absence

LEVEL, BURN = "mega:level:", "mega:burn:"
HOLDINGS_AT_ONCE = 50
"""Two accounts each, of the 100 that a node tells at once."""


async def minting(
    node: Endpoint, mint: str, authority: str, searches: Searches
) -> tuple[LevelMintSeen, bool] | None:
    """The mint of a level token, and whether nobody can mint more of it."""
    _, (account,) = await says.accounts(node, [mint])
    made = tokens.mint_in(account)
    if made is None:
        return None

    async def look(signature: str) -> LevelMintSeen | None:
        told = await level_mints(node, signature, authority)
        return next((seen for seen in told or () if seen.mint == mint), None)

    return await searches.find("minted", node, mint, (says_level,), look), made.final


async def level_mints(
    node: Endpoint, signature: str, authority: str
) -> tuple[LevelMintSeen, ...] | None:
    """What a transaction of our authority minted: one level token or none."""
    told = await says.transaction(node, signature)
    if told is None:
        return None
    with read.strictly():
        ours = authority in read.signers(told) and told["meta"]["err"] is None
    words = [words for words in tokens.memos(told) if words.startswith(LEVEL)]
    minted = list(tokens.minted_by(told).items())
    if not ours or len(words) != 1 or len(minted) != 1:
        return ()
    level, _, cid = words[0].removeprefix(LEVEL).partition(":")
    if not level.isascii() or not level.isdecimal():
        return ()
    (mint, owner) = minted[0]
    return (LevelMintSeen(mint, owner, int(level), cid, signature, told["slot"]),)


async def burning(node: Endpoint, mint: str, searches: Searches) -> BurnSeen | None:
    """Our own memo is looked for first; a wallet may burn without it."""
    _, (account,) = await says.accounts(node, [mint])
    made = tokens.mint_in(account)
    if made is None or made.supply:
        return None

    async def look(signature: str) -> BurnSeen | None:
        told = await says.transaction(node, signature)
        return _burned(told, mint, signature) if told else None

    kinds = (says_burn, lambda one: not says_burn(one))
    return await searches.find("burned", node, mint, kinds, look)


def says_level(one: read.Summary) -> bool:
    return LEVEL in one.memo


def says_burn(one: read.Summary) -> bool:
    return BURN in one.memo


async def never_minted(node: Endpoint, mint: str, last_valid_height: int) -> Absence | None:
    proof, made = await _look_past(node, mint, last_valid_height)
    return proof if made is None else None


async def never_burned(node: Endpoint, mint: str, last_valid_height: int) -> Absence | None:
    proof, made = await _look_past(node, mint, last_valid_height)
    return None if made and made.supply == 0 else proof


async def holdings(node: Endpoint, expected: Sequence[tuple[str, str]]) -> list[Holding]:
    """Of up to HOLDINGS_AT_ONCE pairs of a mint and who should have its token."""
    addresses = [
        each
        for mint, owner in expected
        for each in (mint, str(tokens.held_at(wire.key(owner), wire.key(mint))))
    ]
    slot, found = await says.accounts(node, addresses)
    pairs = zip(expected, found[::2], found[1::2], strict=True)
    told = [(mint, _holding(mint, made, held, slot)) for (mint, _), made, held in pairs]
    return [seen or await _elsewhere(node, mint, slot) for mint, seen in told]


async def _look_past(
    node: Endpoint, mint: str, last_valid_height: int
) -> tuple[Absence | None, tokens.Mint | None]:
    """The mint as it is when no transaction up to that height can change it any more."""
    height, slot = await says.finalized_height(node)
    if height <= last_valid_height:
        return None, None
    _, (account,) = await says.accounts(node, [mint], from_slot=slot)
    return Absence("", height, slot), tokens.mint_in(account)


def _holding(
    mint: str, account: read.Account | None, expected: read.Account | None, slot: int
) -> Holding | None:
    """None: the token is there, and not where it was expected; of two tokens nobody tells."""
    made, held = tokens.mint_in(account), tokens.holding_in(expected)
    if made is None:
        return Holding(mint, "absent", "", slot)
    if made.supply == 0:
        return Holding(mint, "burned", "", slot)
    if made.supply > 1:
        return Holding(mint, "untold", "", slot)
    there = held is not None and (held.mint, held.amount) == (mint, 1)
    return Holding(mint, "held", held.owner, slot) if held and there else None


async def _elsewhere(node: Endpoint, mint: str, from_slot: int) -> Holding:
    """Nodes do not say who owns the accounts that they find, so these are looked at once more."""
    answer = await node.ask("getTokenLargestAccounts", [mint, says.FINALIZED])
    slot, value = read.in_context(answer)
    says.must_reach(node, slot, from_slot)
    found = [read.record(one) for one in read.items(value)]
    at = [read.key(one.get("address")) for one in found if read.amount(one) == 1]
    if not at:
        return Holding(mint, "untold", "", from_slot)
    slot, (made, held) = await says.accounts(node, [mint, at[0]], from_slot=slot)
    return _holding(mint, made, held, slot) or Holding(mint, "untold", "", slot)


def _burned(told: Mapping[str, Any], mint: str, signature: str) -> BurnSeen | None:
    with read.strictly():
        failed, signers = told["meta"]["err"] is not None, read.signers(told)
    owner = tokens.burned_by(told).get(mint)
    if failed or owner is None:
        return None
    words = (words for words in tokens.memos(told) if words.startswith(BURN))
    reference = next(words, BURN).removeprefix(BURN)
    by = owner if owner in signers else ""
    return BurnSeen(mint, by, signature, told["slot"], reference)
