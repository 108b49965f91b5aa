"""Compares level tokens: where each of them is, and what our authority has minted.

Burns come before mints, so that a token is known to be owed before it is found. The views say what
to look at; what is then done about a difference is decided on the ledger, so it does not matter how
far they are, nor what a reaction does at the same moment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, LiteralString, Protocol

import msgspec
import structlog
from psycopg import AsyncConnection

from commands.command import Command, look
from commands.passes import SeeIdentity
from commands.upgrades import ConfirmBurn, Correct, RecordLevel, SeeUpgrade
from consumers.gateways.level_ports import BurnSeen, Holding, LevelMintSeen, LevelTokens
from consumers.gateways.ports import Failure
from consumers.reactions.promise import Desk
from consumers.reconciler import Finding, Report
from domain import reconciling
from domain.reconciling import Difference, ShownMint
from domain.solana import TokenFound
from domain.upgrade import Upgrade
from ledger.statements import named_statements
from projections import levels, upgrades
from projections.levels import Climb

SQL = named_statements(Path(__file__).with_suffix(".sql"))
LEVELS = named_statements(Path(levels.__file__).with_suffix(".sql"))
UPGRADES = named_statements(Path(upgrades.__file__).with_suffix(".sql"))
PAGE = 100
"""Passes whose tokens are looked at together."""
UNKNOWN_PASS = "pass:unknown"
"""Under which a token is reviewed whose owner is no pass of ours."""

log = structlog.get_logger()


class Known(Protocol):
    """What is known beforehand, and how far the chain's history was read."""

    async def page(self, after: str) -> list[tuple[str, Upgrade]]:
        """Passes behind `after` that have a token, or had one that left, in their order."""
        ...

    async def requests(self, mints: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Mint → (pass whose stream it is, upgrade id), of those that an attempt was given."""
        ...

    async def mark(self) -> str: ...

    async def move(self, mark: str) -> None: ...


class LevelCheck:
    """The comparison as a part of every round."""

    name = "levels"

    def __init__(self, desk: Desk, tokens: LevelTokens) -> None:
        self._desk, self._tokens = desk, tokens

    async def compare(self, connection: AsyncConnection, report: Report) -> None:
        known = KnownHere(connection, self.name)
        await LevelComparison(self._desk, self._tokens, known, report).run()


class LevelComparison:
    """One round of it."""

    def __init__(self, desk: Desk, tokens: LevelTokens, known: Known, report: Report) -> None:
        self._desk, self._tokens, self._known, self._report = desk, tokens, known, report
        self._untold = 0

    async def run(self) -> None:
        """Both parts, whatever becomes of the other; a Failure of either is raised at the end."""
        silent = [
            failed for part in (self._tokens_of_all, self._mints) if (failed := await _of(part))
        ]
        if silent:
            raise silent[0]

    # Where the tokens are.

    async def _tokens_of_all(self) -> None:
        after = ""
        while page := await self._known.page(after):
            after = page[-1][0]
            await self._tokens_of(page)

    async def _tokens_of(self, page: Sequence[tuple[str, Upgrade]]) -> None:
        asked = [(owner, each) for owner, up in page for each in reconciling.believed(up)]
        wanted = [(each.mint, each.owner) for _, each in asked]
        beliefs = dict(page)
        holdings = await self._tokens.holdings(wanted)
        self._report.checked += len(holdings)
        for (owner, _), holding in zip(asked, holdings, strict=True):
            if holding.state == "untold":
                self._missing(f"the token of {holding.mint}", "the endpoints disagree, or it moved")
            elif holding.state == "burned":
                await self._burned(owner, holding)
            elif self._held(beliefs[owner], holding) and (
                difference := self._held(await self._upgrade(owner), holding)
            ):
                await self._correct(owner, difference)

    def _held(self, upgrade: Upgrade, holding: Holding) -> Difference | None:
        return reconciling.of_holding(upgrade, holding.mint, holding.owner, holding.slot)

    async def _burned(self, owner: str, holding: Holding) -> None:
        """Who burned it, and for what, is asked of the chain; if that is not told, next time."""
        try:
            burn = await self._tokens.burned(holding.mint)
        except Failure as failure:
            self._missing(f"the burn of {holding.mint}", failure.reason)
            return
        if burn is None:
            return
        facts = (burn.mint, burn.owner, burn.signature, burn.slot, burn.reference)
        difference = reconciling.of_burn(await self._upgrade(owner), *facts)
        if difference:
            await self._do(owner, difference, _confirm(owner, burn))

    def _missing(self, what: str, why: str) -> None:
        """The rest goes on; this is asked again in the next round."""
        self._untold += 1
        log.warning("not_told", what=what, why=why)
        more = f" ({self._untold} were not told)" if self._untold > 1 else ""
        self._report.failure = f"{what}: {why}{more}"

    # What our authority minted.

    async def _mints(self) -> None:
        mark = await self._known.mark()
        while True:
            found, last = await self._tokens.mints_after(mark)
            requests = await self._known.requests([seen.mint for seen in found])
            for seen in found:
                await self._minted(seen, *requests.get(seen.mint, ("", "")))
            if last == mark:
                return
            await self._known.move(last)
            mark = last

    async def _minted(self, seen: LevelMintSeen, owner: str, upgrade_id: str) -> None:
        shown = ShownMint(seen.mint, seen.owner, seen.level, seen.cid, seen.slot)
        self._report.checked += 1
        if not owner:
            await self._correct(await self._pass_of(seen.owner), reconciling.unknown(shown))
            return
        difference = reconciling.of_mint(await self._upgrade(owner), upgrade_id, shown)
        if difference is None:
            return
        if difference.kind == "mint_missed":
            await self._do(owner, difference, _record(owner, upgrade_id, seen))
        else:
            await self._correct(owner, difference)

    # What is done about a difference.

    async def _correct(self, owner: str, found: Difference) -> None:
        correction = Correct(owner=owner, review=found.review, **asdict(found))
        await self._do(owner, found, correction)

    async def _do(self, owner: str, found: Difference, command: Command) -> None:
        cause = f"reconciliation:{found.kind}:{found.mint}:{found.slot}"
        outcome = await self._desk.do(command, cause=cause)
        new = bool(outcome.events)
        finding = Finding(
            kind=found.kind,
            subject=found.mint,
            pass_id=owner,
            field=found.field,
            ledger_value=found.ledger_value,
            chain_value=found.chain_value,
            done="known" if not new else "for review" if found.review else "corrected",
        )
        self._report.findings.append(finding)
        if new:
            log.warning("ledger_and_chain_differed", mint=found.mint, kind=found.kind, of=owner)

    async def _upgrade(self, owner: str) -> Upgrade:
        see = SeeUpgrade(owner=owner)
        return see.upgrade(await look(self._desk.ledger, see))

    async def _pass_of(self, wallet: str) -> str:
        see = SeeIdentity(identity=f"solana:{wallet}")
        return see.pass_id(await look(self._desk.ledger, see)) or UNKNOWN_PASS


class KnownHere:
    """`Known` in this database."""

    def __init__(self, connection: AsyncConnection, name: str) -> None:
        self._connection, self._name = connection, {"name": name}

    async def page(self, after: str) -> list[tuple[str, Upgrade]]:
        rows = await self._rows(LEVELS["page"], {"after": after, "limit": PAGE})
        return [(owner, msgspec.json.decode(state, type=Climb).upgrade) for owner, state in rows]

    async def requests(self, mints: Sequence[str]) -> dict[str, tuple[str, str]]:
        found = _by_mint(await self._rows(UPGRADES["of_mints"], {"mints": list(mints)}))
        left = [mint for mint in mints if mint not in found]
        if left:
            found |= _by_mint(await self._rows(SQL["requests"], {"mints": left}))
        return found

    async def mark(self) -> str:
        rows = await self._rows(SQL["mark"], self._name)
        return rows[0][0] if rows else ""

    async def move(self, mark: str) -> None:
        await self._connection.execute(SQL["move"], {**self._name, "mark": mark})

    async def _rows(self, statement: LiteralString, values: dict[str, Any]) -> list[Any]:
        return await (await self._connection.execute(statement, values)).fetchall()


async def _of(part: Callable[[], Awaitable[None]]) -> Failure | None:
    try:
        await part()
    except Failure as failure:
        return failure
    return None


def _by_mint(rows: Iterable[tuple[str, str, str]]) -> dict[str, tuple[str, str]]:
    return {mint: (owner, upgrade_id) for mint, owner, upgrade_id in rows}


def _confirm(owner: str, burn: BurnSeen) -> ConfirmBurn:
    return ConfirmBurn(
        owner=owner,
        mint=burn.mint,
        burned_by=burn.owner,
        signature=burn.signature,
        slot=burn.slot,
        named=burn.reference,
    )


def _record(owner: str, upgrade_id: str, seen: LevelMintSeen) -> RecordLevel:
    return RecordLevel(
        owner=owner,
        upgrade_id=upgrade_id,
        token=TokenFound(seen.mint, "", 0, seen.slot),
        level=seen.level,
        cid=seen.cid,
        signature=seen.signature,
    )
