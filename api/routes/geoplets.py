"""Geoplets: a voucher, a settlement, a picture, each for a payment by x402 (seed 004)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from api.body import Body, read_body
from api.deps import answered, parts_of, recorded_before, signed_in, underway
from api.minting import mint_signature, spoken_voucher
from api.paying import payer_of
from api.regenerating import generate, spoken_picture
from api.routes.examples import ACCEPTS, PAYMENT_HEADER, TX_HASH, VOUCHER
from api.settling import settle
from api.speech import told
from domain.x402_events import PaymentType
from domain.x402_header import HEADER_CHARS_MAX

router = APIRouter(prefix="/api", tags=["geoplets"])
REFUSALS = (400, 402, 403, 409, 413, 422, 429, 503)
PROMPT = "a tiny planet of plants and houses, isometric, soft light, no text"

Fid = Annotated[int, Field(ge=1, le=2**63 - 1)]
Wallet = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$", to_lower=True)]
Header = Annotated[str, StringConstraints(min_length=1, max_length=HEADER_CHARS_MAX)]

PAY: dict[str, Any] = {"x402Version": 1, "accepts": [ACCEPTS], "error": "Payment required"}


class Camel(Body):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, populate_by_name=False
    )


class Payer(Camel):
    fid: Fid
    user_address: Wallet


class Picture(Payer):
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=4000)] = PROMPT


class Settling(Camel):
    payment_header: Header
    fid: Fid
    payment_type: PaymentType


@router.post(
    "/get-mint-signature",
    **told(
        "A voucher for a Geoplet, for a payment in X-PAYMENT or PAYMENT-SIGNATURE",
        body=Payer,
        example={"fid": 12345, "userAddress": VOUCHER["to"]},
        answers={
            402: PAY,
            200: {
                "voucher": VOUCHER,
                "signature": "0x" + "1b" * 65,
                "paymentHeader": PAYMENT_HEADER,
                "expiresAt": "2026-01-01T00:15:00Z",
            },
        },
        problems=REFUSALS,
        keyed=True,
    ),
)
async def get_mint_signature(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, Payer)
    payer = await payer_of(request, who, body.fid, body.user_address)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return spoken_voucher(before)
        return await mint_signature(request, payer)


@router.post(
    "/settle-payment",
    **told(
        "Settle a payment; asked again, it tells what came of it",
        body=Settling,
        example={"paymentHeader": PAYMENT_HEADER, "fid": 12345, "paymentType": "mint"},
        answers={
            402: {"code": "PAYMENT_VERIFICATION_FAILED"},
            200: {"success": True, "settled": True, "txHash": TX_HASH, "facilitator": "onchainfi"},
            202: {"success": True, "settled": False, "pending": True},
        },
        problems=REFUSALS,
        keyed=True,
    ),
)
async def settle_payment(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, Settling)
    await payer_of(request, who, body.fid)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        return await settle(request, who, body.payment_header, body.fid, body.payment_type)


@router.post(
    "/generate-image",
    **told(
        "A new picture, for a payment in X-PAYMENT or PAYMENT-SIGNATURE",
        body=Picture,
        example={"fid": 12345, "userAddress": VOUCHER["to"], "prompt": PROMPT},
        answers={
            402: {**PAY, "accepts": [{**ACCEPTS, "maxAmountRequired": "900000"}]},
            200: {"success": True, "data": "UklGRg==", "settlementTxHash": TX_HASH},
        },
        problems=REFUSALS,
        keyed=True,
    ),
)
async def generate_image(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, Picture)
    payer = await payer_of(request, who, body.fid, body.user_address)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return await spoken_picture(parts_of(request), before)
        return await generate(request, payer, body.prompt)
