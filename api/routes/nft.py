"""Token levels: unlocked by trading, upgraded by burning (seed 002, `contract.md` §6)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from api.asking import FRESH, THEN, as_of, fresh
from api.body import Body, NoBody, read_body
from api.deps import answered, parts_of, recorded_before, signed_in, spoken, underway
from api.history import NOW, upgrade_then
from api.leveling import ask_for_level, attempt_of, hand_in, status
from api.owners import own_upgrade
from api.problems import Invalid
from api.reading import SQL
from api.routes.examples import SIGNED_TRANSACTION, UPGRADE, UPGRADE_ID
from api.speech import told

router = APIRouter(prefix="/api/nft", tags=["token levels"])
REFUSALS = (403, 404, 409, 410, 413, 422, 429, 503)
UpgradeId = Annotated[str, Path(alias="id", examples=[UPGRADE_ID])]
Transaction = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Signature = Annotated[str, StringConstraints(pattern=r"^[1-9A-HJ-NP-Za-km-z]{64,88}$")]


class SignedTransaction(Body):
    """Either the signed transaction, or the signature of the one that the wallet sent itself."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    upgrade_id: Annotated[str, StringConstraints(max_length=64)]
    signed: Transaction | None = Field(default=None, alias="signedTransactionBase64")
    signature: Signature | None = None


@router.get(
    "/status",
    **told(
        "My level, my token, and how far the next level is",
        answers={
            200: {
                "level": 1,
                "nft": {"mint": UPGRADE["burns"], "level": 1, "status": "minted"},
                "grace_level": None,
                "volume_usd": "512000.5",
                "badges": ["early-bird"],
                "next": {
                    "level": 2,
                    "required_volume_usd": "500000",
                    "required_badges": 2,
                    "progress_percent": 100,
                    "qualified": False,
                    "missing": ["badges"],
                },
                "upgrade": None,
            }
        },
        problems=(403, 422, 429, 503),
        query=FRESH,
    ),
)
async def read_status(request: Request) -> Response:
    who = signed_in(request, "user")
    if "as_of" in request.query_params:
        raise Invalid(("query.as_of", "not here: volume and badges are no events of the ledger"))
    await fresh(request, "levels")
    return spoken(await status(request, who))


@router.post(
    "/unlock",
    **told(
        "Ask for the token of level 1; the wallet signs the mint",
        body=NoBody,
        example={},
        answers={
            200: {
                "upgrade_id": UPGRADE_ID,
                "transactionBase64": SIGNED_TRANSACTION,
                "expires_at": "2026-01-01T00:00:45Z",
            }
        },
        problems=REFUSALS,
        keyed=True,
    ),
)
async def unlock(request: Request) -> Response:
    return await _begin(request, "unlock")


@router.post(
    "/upgrade",
    **told(
        "Ask for the next level; the wallet signs the burn of its token",
        body=NoBody,
        example={},
        answers={
            200: {
                "upgrade_id": UPGRADE_ID,
                "burn_transactionBase64": SIGNED_TRANSACTION,
                "expires_at": "2026-01-01T00:00:45Z",
            }
        },
        problems=REFUSALS,
        keyed=True,
    ),
)
async def upgrade(request: Request) -> Response:
    return await _begin(request, "upgrade")


async def _begin(request: Request, kind: Literal["unlock", "upgrade"]) -> Response:
    who = signed_in(request, "user")
    await read_body(request, NoBody)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        return await ask_for_level(request, who, kind)


@router.post(
    "/transactions",
    **told(
        "Hand in the signed transaction, or the signature of the one that the wallet sent",
        body=SignedTransaction,
        example={"upgrade_id": UPGRADE_ID, "signedTransactionBase64": SIGNED_TRANSACTION},
        answers={202: {name: UPGRADE[name] for name in UPGRADE if name != "timeline"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def transactions(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, SignedTransaction)
    owner = await own_upgrade(request, who, body.upgrade_id)
    if (body.signed is None) == (body.signature is None):
        raise Invalid(("body", "either signedTransactionBase64 or signature"))
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        attempt = await attempt_of(parts_of(request), owner, body.upgrade_id)
        signed = body.signed or ""
        return await hand_in(request, who, owner, attempt, signed, body.signature or "")


@router.get(
    "/upgrades/{id}",
    **told(
        "One unlock or upgrade: its state, why it stands there, and how it came to it",
        answers={200: UPGRADE},
        problems=(403, 404, 422, 429, 503),
        query={**FRESH, **THEN},
    ),
)
async def read_upgrade(request: Request, upgrade_id: UpgradeId) -> Response:
    parts, who = parts_of(request), signed_in(request, "user", "auditor")
    await fresh(request, "upgrades")  # by which an auditor's is found
    owner, then = await own_upgrade(request, who, upgrade_id), as_of(request)
    found = [] if then else await parts.reader.rows(SQL["upgrade"], {"upgrade_id": upgrade_id})
    if not found:
        return spoken(await upgrade_then(parts.ledger, owner, upgrade_id, then or NOW))
    return Response(found[0][0], media_type="application/json")
