"""PFP mints: one by one, or up to ten for one signature (seed 003, `contract.md` §5)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from api import single_mint
from api.asking import FRESH, THEN, as_of, fresh
from api.batching import batch_now, cancel, confirm, mint_one, once_unseen, preparation
from api.body import Body, read_body
from api.deps import (
    answered,
    parts_of,
    recorded,
    recorded_before,
    signed_in,
    spoken,
    underway,
)
from api.history import NOW, batch_then
from api.owners import own_batch
from api.reading import SQL
from api.routes.examples import BATCH, BATCH_ID, MINTED, SIGNED_TRANSACTION, SOLANA_WALLET
from api.speech import told
from commands.command import look
from commands.pfp_status import SeeWallet
from domain.pfp_refusals import InvalidQuantity

router = APIRouter(prefix="/pfp", tags=["PFP mints"])
REFUSALS = (403, 404, 409, 410, 413, 422, 429, 503)
BATCHES_MAX = 50

Wallet = Annotated[str, StringConstraints(pattern=r"^[1-9A-HJ-NP-Za-km-z]{32,44}$")]
Transaction = Annotated[str, StringConstraints(max_length=4096)]
Quantity = Annotated[Any, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 10})]
Id = Annotated[str, StringConstraints(max_length=64)]
BatchId = Annotated[str, Path(alias="batchId", examples=[BATCH_ID])]

PREPARED = {
    "batchId": BATCH_ID,
    "transactionBase64": SIGNED_TRANSACTION,
    "lamports": "100000000",
    "creditsApplied": 3,
    "expiresAt": "2026-01-01T00:01:00Z",
}
"""The answer for five, three of which are credits."""


class Camel(Body):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, populate_by_name=False
    )


class Mint(Camel):
    wallet: Wallet | None = None


class SignedMint(Camel):
    mint_id: Id
    signed_transaction_base64: Transaction


class NewBatch(Camel):
    quantity: Quantity
    wallet: Wallet | None = None


class SignedBatch(Camel):
    batch_id: Id
    signed_transaction_base64: Transaction | None = None
    auto_mint: bool = False


class OneBatch(Camel):
    batch_id: Id


@router.post(
    "/prepare-batch",
    **told(
        "Prepare the payment for 1 to 10 PFPs; credits are used first",
        body=NewBatch,
        example={"quantity": 5},
        answers={200: PREPARED},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def prepare_batch(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, NewBatch)
    if type(body.quantity) is not int or not 1 <= body.quantity <= 10:
        raise InvalidQuantity()
    command = await preparation(request, who, body.wallet or "", body.quantity)
    async with underway(request, who):
        told_ = await once_unseen(parts_of(request), command, partial(recorded, request, who))
        return answered(told_)


@router.post(
    "/confirm-batch",
    **told(
        "Hand in the signed payment; asked again, it tells what came of it",
        body=SignedBatch,
        example={"batchId": BATCH_ID, "signedTransactionBase64": SIGNED_TRANSACTION},
        answers={200: {"batchId": BATCH_ID, "status": "confirming"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def confirm_batch(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, SignedBatch)
    await own_batch(request, who, body.batch_id)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        batch = await batch_now(parts_of(request), body.batch_id)
        signed = body.signed_transaction_base64
        return await confirm(request, who, batch, signed, body.auto_mint)


@router.post(
    "/mint-from-batch",
    **told(
        "Mint the next PFP of a paid batch, and wait for it",
        body=OneBatch,
        example={"batchId": BATCH_ID},
        answers={200: {"success": True, "minted": MINTED, "remaining": 4, "pfp_credits": 4}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def mint_from_batch(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, OneBatch)
    await own_batch(request, who, body.batch_id)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        return await mint_one(request, who, body.batch_id)


@router.post(
    "/cancel-batch",
    **told(
        "Give up a batch before it is paid",
        body=OneBatch,
        example={"batchId": BATCH_ID},
        answers={200: {**BATCH, "status": "cancelled"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def cancel_batch(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, OneBatch)
    await own_batch(request, who, body.batch_id)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        return await cancel(request, who, await batch_now(parts_of(request), body.batch_id))


@router.post(
    "/prepare",
    **told(
        "Prepare one PFP whose payment and mint are one transaction",
        body=Mint,
        example={},
        answers={
            200: {
                "mintId": BATCH_ID,
                "transactionBase64": SIGNED_TRANSACTION,
                "lamports": "50000000",
                "expiresAt": "2026-01-01T00:01:00Z",
            }
        },
        problems=REFUSALS,
        keyed=True,
    ),
)
async def prepare_mint(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, Mint)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        return await single_mint.prepare(request, who, body.wallet or "")


@router.post(
    "/confirm",
    **told(
        "Hand in the signed mint; asked again, it tells what came of it",
        body=SignedMint,
        example={"mintId": BATCH_ID, "signedTransactionBase64": SIGNED_TRANSACTION},
        answers={200: {"mintId": BATCH_ID, "status": "complete", "minted": MINTED}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def confirm_mint(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, SignedMint)
    await own_batch(request, who, body.mint_id)
    async with underway(request, who):
        if before := await recorded_before(request, who):
            return answered(before)
        batch = await batch_now(parts_of(request), body.mint_id)
        return await single_mint.confirm(request, who, batch, body.signed_transaction_base64)


@router.get(
    "/batches/{batchId}",
    **told(
        "One batch: what it is paid, what is minted, what remains",
        answers={200: BATCH},
        problems=(403, 404, 422, 429, 503),
        query={**FRESH, **THEN},
    ),
)
async def read_batch(request: Request, batch_id: BatchId) -> Response:
    parts, who = parts_of(request), signed_in(request, "user", "auditor")
    await own_batch(request, who, batch_id)
    then = as_of(request)
    await fresh(request, "batches")
    shown = None if then else await parts.reader.batch(batch_id)
    if shown is None:
        return spoken(await batch_then(parts.ledger, batch_id, then or NOW))
    return Response(shown, media_type="application/json")


@router.get(
    "/status",
    **told(
        "What a wallet may mint, what it has paid for, and its batches",
        answers={
            200: {
                "eligible": True,
                "wallet": SOLANA_WALLET,
                "slots": {"allowed": 10, "used": 5, "reserved": 0},
                "pfp_credits": 3,
                "batches": [BATCH],
            }
        },
        problems=(403, 409, 422, 429, 503),
        query={
            "wallet": ("Which of several.", {"type": "string"}, SOLANA_WALLET),
            **FRESH,
        },
    ),
)
async def read_status(request: Request) -> Response:
    parts, who = parts_of(request), signed_in(request, "user")
    wallet = request.query_params.get("wallet", "")
    see = SeeWallet(owner=who.pass_id, wallet=wallet)
    await fresh(request, "batches")
    standing = see.standing(await look(parts.ledger, see))
    asked = {"names": list(who.names), "wallet": standing["wallet"] or "", "limit": BATCHES_MAX}
    rows = await parts.reader.rows(SQL["batches_of"], asked)
    return spoken({**standing, "batches": [view for (view,) in rows]})
