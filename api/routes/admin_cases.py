"""What administrators do about cases of level tokens and shop orders: retry, compensate, end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints

from api.audits import admin, admin_asks_about
from api.body import Body, NoBody
from api.deps import parts_of, spoken, write
from api.problems import NotFound
from api.routes.examples import UPGRADE, UPGRADE_ID
from api.speech import told
from api.waiting import recovery
from commands.cases import CloseCase, Compensate, RetryMint
from commands.shop_orders import ResolveShopCase, RetryShopCase
from domain.shop_told import PASS_PATTERN
from domain.upgrade_refusals import NotDecidedSo, NothingOwed
from projections.shop_cases import shop_case_of
from projections.upgrade_cases import owed_case

router = APIRouter(prefix="/admin/recoveries", tags=["administration"])
REFUSALS = (403, 404, 409, 413, 422, 429, 503)
CaseId = Annotated[str, Path(alias="id", examples=[owed_case(UPGRADE_ID)])]
PassId = Annotated[str, StringConstraints(pattern=PASS_PATTERN)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


CASE = {
    "id": owed_case(UPGRADE_ID),
    "kind": "burned_not_minted",
    "stream": "upgrade:pass:user:ada",
    "pass_id": "pass:user:ada",
    "opened_at": "2026-01-01T00:00:00Z",
    "state": "open",
    "attempts": 3,
    "next_try_at": "2026-01-01T00:00:08Z",
    "facts": {"tx": UPGRADE["burns"], "burned": UPGRADE["burns"], "reason": "HTTP 503"},
}


class Wanted(Body):
    """Equivalent or superior: the level must not be below the one that is owed."""

    level: Annotated[int, Field(ge=1, le=20)]
    reason: Reason


class Because(Body):
    """`pass_id`: whose a shop order of nobody is."""

    reason: Reason
    pass_id: PassId | None = None


@router.get(
    "/{id}",
    **told("One case", answers={200: CASE}, problems=(403, 404, 422, 429, 503)),
)
async def read_case(request: Request, case_id: CaseId) -> Response:
    await admin(request)
    return spoken(await _case(request, case_id)())


@router.post(
    "/{id}/compensate",
    **told(
        "Mint a token of this level in place of the one that is owed; needs two people",
        body=Wanted,
        example={"level": 3, "reason": "the mint could not be sent for a day"},
        answers={
            202: {
                "upgrade_id": UPGRADE_ID,
                "state": "proposed",
                "level": 3,
                "proposed_by": "pass:user:ada",
                "approved_by": None,
            }
        },
        problems=REFUSALS,
        keyed=True,
    ),
)
async def compensate(request: Request, case_id: CaseId) -> Response:
    who, asked, case = await admin_asks_about(request, Wanted, _case(request, case_id))
    parts = parts_of(request)
    upgrade_id = _about(case, "owed")
    command = Compensate(
        owner=_owner(case),
        upgrade_id=upgrade_id,
        level=asked.level,
        reason=asked.reason,
        by=who.pass_id,
        metadata=lambda level: parts.levels.metadata(level, upgrade_id),
    )
    return await write(request, who, command)


@router.post(
    "/{id}/retry",
    **told(
        "Try now: to mint what is owed, to credit a pack that is known by now, to tag a customer",
        body=NoBody,
        example={},
        answers={202: {"upgrade_id": UPGRADE_ID, "state": "recovery"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def retry(request: Request, case_id: CaseId) -> Response:
    who, _, case = await admin_asks_about(request, NoBody, _case(request, case_id))
    if of_shop := shop_case_of(case["id"]):
        return await write(request, who, RetryShopCase(**of_shop, by=who.pass_id))
    command = RetryMint(owner=_owner(case), upgrade_id=_about(case, "owed"), by=who.pass_id)
    return await write(request, who, command)


@router.post(
    "/{id}/resolve",
    **told(
        "Close a case that somebody has seen to; what is owed ends with its token alone",
        body=Because,
        example={"reason": "spoke to the owner"},
        answers={202: {"state": "resolved"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def resolve(request: Request, case_id: CaseId) -> Response:
    who, asked, case = await admin_asks_about(request, Because, _case(request, case_id))
    if of_shop := shop_case_of(case["id"]):
        given = {"given_to": asked.pass_id or "", "reason": asked.reason, "by": who.pass_id}
        return await write(request, who, ResolveShopCase(**of_shop, **given))
    kind, _, about = case["id"].partition(":")
    named = {"review": "mint", "support": "upgrade_id"}
    if kind not in named or asked.pass_id:
        raise NotDecidedSo()
    if case["state"] != "open":
        raise NothingOwed()
    said = {"owner": _owner(case), "reason": asked.reason, "by": who.pass_id}
    return await write(request, who, CloseCase(**said, **{named[kind]: about}))


def _case(request: Request, case_id: str) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def find() -> dict[str, Any]:
        found = await recovery(parts_of(request).reader.rows, case_id)
        if found is None:
            raise NotFound()
        return found

    return find


def _about(case: dict[str, Any], wanted: str) -> str:
    kind, _, about = case["id"].partition(":")
    if kind != wanted:
        raise NotDecidedSo()
    return str(about)


def _owner(case: dict[str, Any]) -> str:
    """The pass in whose stream the case is."""
    return str(case["stream"]).partition(":")[2]
