"""Unlocks and upgrades between a request and its answer (`contract.md` §6)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Literal
from uuid import uuid4

import psycopg
from starlette.requests import Request
from starlette.responses import Response

from api.deps import answered, parts_of, recorded
from api.owners import identities_of
from api.parts import Parts
from api.pfp_problems import SolanaSilent
from api.principal import Principal
from api.problems import ProjectionBehind
from api.reading import SQL
from commands.command import look
from commands.request_upgrade import Minting, RequestUpgrade, SeeLevels
from commands.upgrades import SeeUpgrade, SubmitTransaction
from domain.event import Refused
from domain.levels import DEFAULT_LEVELS, Badge, Record, levels_of
from domain.solana import BLOCKHASH_LASTS, Prepared
from domain.upgrade import Upgrade
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import UpgradeRequested
from domain.upgrade_refusals import NoToken, UpgradeOver
from domain.upgrade_view import describe_status
from projections.badges import badges_of
from projections.levels import Levels
from projections.names import names_of
from projections.trading_volume import volume_of

_levels = Levels()


async def record_of(request: Request, who: Principal) -> Record:
    """What the pass has traded and earned, under every name that leads to it."""
    rows = parts_of(request).reader.rows
    names = names_of(who.names, await identities_of(request, who))
    try:
        volume, badges = await asyncio.gather(volume_of(rows, names), badges_of(rows, names))
    except psycopg.errors.UndefinedTable:
        raise ProjectionBehind("(trades and badges are being read anew)") from None
    return Record(volume, tuple(Badge(*badge) for badge in badges))


async def status(request: Request, who: Principal) -> dict[str, Any]:
    """The body of `GET /api/nft/status`: from the projection, from the ledger where it has not a
    row for every name of the pass."""
    parts = parts_of(request)
    record, found, config = await asyncio.gather(
        record_of(request, who), _shown(parts, who), parts.reader.rows(SQL["levels_config"])
    )
    hit = len(found) == len(who.names)
    parts.meters.level_read(hit=hit)
    if not hit:
        see = SeeLevels(asked_by=who.pass_id)
        found = list(see.upgrades(await look(parts.ledger, see)).values())
    levels = levels_of(config[0][0] if config else DEFAULT_LEVELS)
    taken = frozenset[str]().union(*(each.taken_badges for each in found))
    highest = max(found, key=lambda each: each.standing)
    return describe_status(highest, record.without(taken), levels)


async def _shown(parts: Parts, who: Principal) -> list[Upgrade]:
    """In the order of the names, as the ledger has them."""
    try:
        rows = await parts.reader.rows(SQL["climbs"], {"names": list(who.names)})
    except psycopg.errors.UndefinedTable:
        return []
    states: dict[str, str] = dict(rows)
    return [_levels.revive(states[name]).upgrade for name in who.names if name in states]


async def ask_for_level(
    request: Request, who: Principal, kind: Literal["unlock", "upgrade"]
) -> Response:
    """Begins the attempt, or finds the open one; an upgrade only of a token that the chain shows in
    its wallet."""
    parts = parts_of(request)
    command = await _requesting(request, who, kind)
    see = SeeLevels(asked_by=who.pass_id)
    seen = await look(parts.ledger, see)
    token = see.upgrades(seen)[see.owner(seen)].token
    if kind == "upgrade" and token and not await _held(parts, token.mint, token.owner):
        raise NoToken()
    return answered(await recorded(request, who, command))


async def _held(parts: Parts, mint: str, owner: str) -> bool:
    """A chain that cannot be asked stops nobody here: the burn itself is verified."""
    try:
        return await parts.levels.held(mint, owner)
    except SolanaSilent:
        return True


async def _requesting(
    request: Request, who: Principal, kind: Literal["unlock", "upgrade"]
) -> RequestUpgrade:
    parts, id_ = parts_of(request), str(uuid4())
    prepare: Any
    try:
        blockhash = await parts.solana.blockhash()
    except SolanaSilent as silent:
        prepare = partial(_cannot_prepare, silent)
    else:

        def prepare(terms: UpgradeRequested) -> Prepared:
            return parts.levels.prepare(terms, blockhash)

    return RequestUpgrade(
        asked_by=who.pass_id,
        kind=kind,
        recipe="nft_unlock" if kind == "unlock" else parts.levels.recipe,
        upgrade_id=id_,
        record=await record_of(request, who),
        minting=Minting(
            mint=parts.levels.mint_of(id_),
            metadata=lambda level: parts.levels.metadata(level, id_),
            prepare=prepare,
        ),
        expires_at=parts.clock.now() + BLOCKHASH_LASTS,
    )


def _cannot_prepare(why: Refused, terms: UpgradeRequested) -> Prepared:
    raise why


async def attempt_of(parts: Parts, owner: str, id_: str) -> Attempt:
    """By the ledger. One that is not remembered any more came to nothing long ago: UpgradeOver."""
    see = SeeUpgrade(owner=owner)
    attempts = see.upgrade(await look(parts.ledger, see)).attempts
    if id_ not in attempts:
        raise UpgradeOver()
    return attempts[id_]


async def hand_in(
    request: Request, who: Principal, owner: str, attempt: Attempt, raw: str, signature: str
) -> Response:
    """Records what the wallet signed, or the signature of what it sent; the chain decides."""
    parts, window = parts_of(request), attempt.window
    if raw:
        if window is None:
            raise UpgradeOver()
        prepared = Prepared(
            window.message, window.raw, "", window.blockhash, window.last_valid_height
        )
        raw = parts.levels.complete(prepared, attempt.terms.wallet, raw)
        signature = parts.levels.signature_of(raw)
    submit = SubmitTransaction(
        owner=owner, upgrade_id=attempt.terms.upgrade_id, raw=raw, signature=signature
    )
    return answered(await recorded(request, who, submit))
