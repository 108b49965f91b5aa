"""What became of a payment, by its natural key (fid, payment type): seed 004's five endpoints."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import AfterValidator, Field, StringConstraints

from api.asking import FRESH, THEN, as_of, fresh
from api.body import NoBody, read_body
from api.deps import (
    answered,
    parts_of,
    recorded,
    recorded_before,
    signed_in,
    spoken,
    underway,
    write,
)
from api.owners import identities_of, own_fid
from api.principal import Principal
from api.problems import Invalid, NotFound
from api.routes.examples import PAYMENT_HEADER, TX_HASH, VOUCHER
from api.routes.geoplets import Camel, Fid, Header, Wallet
from api.speech import told
from api.tracking import Given, shown, tracking
from commands.x402_slot import ClaimMint, ClaimSettlement, DismissPayment
from domain.geoplet_view import NOTHING
from domain.x402_events import PaymentType

router = APIRouter(prefix="/api/payment-tracking", tags=["payment tracking"])
ONE = "/{fid}/{payment_type}"
REFUSALS = (400, 403, 404, 409, 413, 422, 429, 503)
FidPath = Annotated[str, Path(examples=["12345"])]
KindPath = Annotated[str, Path(examples=["mint"])]
_digits = re.compile(r"[0-9]{1,19}")
TxHash = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$", to_lower=True)]
Uint = (
    Annotated[str, StringConstraints(pattern=r"^[0-9]{1,78}$")]
    | Annotated[int, Field(ge=0, lt=2**256)]
)
SIGNATURE = StringConstraints(pattern=r"^0x([0-9a-fA-F]{2}){1,1024}$")


def _near(value: str | int) -> str | int:
    if int(value) > 2**53:
        raise ValueError("is no time in unix seconds")
    return value


class GivenVoucher(Camel):
    """Numbers as decimal strings, or as numbers."""

    to: Wallet
    fid: Uint
    nonce: Uint
    deadline: Annotated[Uint, AfterValidator(_near)]


class Tracked(Camel):
    fid: Fid
    payment_type: PaymentType
    user_address: Wallet
    payment_header: Header
    voucher: GivenVoucher | None = None
    signature: Annotated[str, SIGNATURE] | None = None
    settlement_tx_hash: TxHash | None = None


class Settled(Camel):
    settlement_tx_hash: TxHash


class Minted(Camel):
    mint_tx_hash: TxHash


def key_of(fid: str, payment_type: str) -> tuple[int, PaymentType]:
    """The natural key in a path; Invalid when it is none."""
    if not (_digits.fullmatch(fid) and 0 < int(fid) < 2**63):
        raise Invalid(("path.fid", "a positive integer"))
    match payment_type:
        case "mint" | "regenerate":
            return int(fid), payment_type
    raise Invalid(("path.paymentType", "mint or regenerate"))


@router.post(
    "",
    **told(
        "Track a payment that was verified elsewhere (scope service)",
        body=Tracked,
        example={
            "fid": 12345,
            "paymentType": "mint",
            "userAddress": VOUCHER["to"],
            "paymentHeader": PAYMENT_HEADER,
        },
        answers={
            402: {"code": "PAYMENT_VERIFICATION_FAILED"},
            200: {"status": "verified", "expiresAt": "2026-01-01T00:15:00Z"},
        },
        problems=REFUSALS,
        keyed=True,
    ),
)
async def track_payment(request: Request) -> Response:
    who = signed_in(request, "service")
    body = await read_body(request, Tracked)
    given = Given(**body.model_dump())
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        track = await tracking(parts_of(request), given)
        return answered(await recorded(request, who, track))


@router.get(
    ONE,
    **told(
        "What became of the payment, and the payer's way on",
        answers={200: NOTHING},
        problems=(400, 403, 404, 422, 429, 503),
        query={**FRESH, **THEN},
    ),
)
async def read_tracking(request: Request, fid: FidPath, payment_type: KindPath) -> Response:
    who = signed_in(request, "user", "service", "auditor")
    number, kind = key_of(fid, payment_type)
    payer = who.may("user") and f"fid:{number}" in await identities_of(request, who)
    if not (payer or who.may("service", "auditor")):
        raise NotFound()
    then = as_of(request)
    await fresh(request, "x402_orders")
    return spoken(await shown(parts_of(request), number, kind, then, header=payer))


@router.patch(
    ONE + "/settle",
    **told(
        "Claim that a transaction settled the payment; the chain is looked at",
        body=Settled,
        example={"settlementTxHash": TX_HASH},
        answers={404: {"code": "NOT_FOUND"}, 200: {"success": True, "status": "verified"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def claim_settlement(request: Request, fid: FidPath, payment_type: KindPath) -> Response:
    who, number, kind = await _writer(request, fid, payment_type)
    body = await read_body(request, Settled)
    claim = ClaimSettlement(fid=number, payment_type=kind, tx_hash=body.settlement_tx_hash)
    return await write(request, who, claim)


@router.patch(
    ONE + "/mint",
    **told(
        "Claim that a transaction minted the Geoplet; the chain is looked at",
        body=Minted,
        example={"mintTxHash": TX_HASH},
        answers={404: {"code": "NOT_FOUND"}, 200: {"success": True, "status": "settled"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def claim_mint(request: Request, fid: FidPath, payment_type: KindPath) -> Response:
    who, number, kind = await _writer(request, fid, payment_type)
    body = await read_body(request, Minted)
    claim = ClaimMint(fid=number, payment_type=kind, tx_hash=body.mint_tx_hash)
    return await write(request, who, claim)


@router.delete(
    ONE,
    **told(
        "Drop a payment that was not handed in",
        answers={200: {"success": True}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def dismiss_payment(request: Request, fid: FidPath, payment_type: KindPath) -> Response:
    who, number, kind = await _writer(request, fid, payment_type)
    await read_body(request, NoBody)
    reason: Any = "service" if who.may("service") else "payer"
    return await write(request, who, DismissPayment(fid=number, payment_type=kind, reason=reason))


async def _writer(
    request: Request, fid: str, payment_type: str
) -> tuple[Principal, int, PaymentType]:
    """Who may write to the payment of this key, and the key; NotFound when the fid is another's."""
    who = signed_in(request, "user", "service")
    number, kind = key_of(fid, payment_type)
    await own_fid(request, who, number)
    return who, number, kind
