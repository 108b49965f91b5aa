"""Mint orders: what a wallet shows, which transactions claim to pay, what the chain proves."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Request, Response
from pydantic import StringConstraints

from api.asking import FRESH, THEN, as_of, fresh
from api.body import Body, NoBody, read_body
from api.deps import parts_of, signed_in, spoken, write
from api.history import NOW, order_then
from api.owners import own_order
from api.parts import Parts
from api.routes.examples import ORDER, ORDER_ID, TRACKED, TX_HASH
from api.speech import told
from commands.orders import ClaimTransaction, ReopenOrder, ShowWalletStep

router = APIRouter(prefix="/mint-orders/{order_id}", tags=["mint orders"])
OrderId = Annotated[str, Path(examples=[ORDER_ID])]
TxHash = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$", to_lower=True)]
REFUSALS = (403, 404, 409, 413, 422, 429, 503)


class WalletStep(Body):
    step: Literal["awaiting_approve", "awaiting_mint"] | None


class Claimed(Body):
    tx_hash: TxHash


@router.get(
    "",
    **told(
        "One order: its evidence, attempts and timeline",
        answers={200: TRACKED},
        problems=(403, 404, 422, 429, 503),
        query={**FRESH, **THEN},
    ),
)
async def read_order(request: Request, order_id: OrderId) -> Response:
    parts, who = parts_of(request), signed_in(request, "user", "auditor")
    await own_order(request, who, order_id)
    then = as_of(request)
    await fresh(request, "mint_orders")
    if then:
        return spoken(await order_then(parts.ledger, order_id, then))
    shown = await parts.reader.order(order_id)
    view = orjson.loads(shown) if shown else await order_then(parts.ledger, order_id, NOW)
    return spoken(await with_live_depth(parts, view))


@router.post(
    "/wallet-step",
    **told(
        "Tell what the wallet is showing",
        body=WalletStep,
        example={"step": "awaiting_approve"},
        answers={200: {**ORDER, "wallet_step": "awaiting_approve"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def show_wallet_step(request: Request, order_id: OrderId) -> Response:
    who = signed_in(request, "user")
    await own_order(request, who, order_id)
    body = await read_body(request, WalletStep)
    return await write(request, who, ShowWalletStep(order_id=order_id, step=body.step))


@router.post(
    "/transactions",
    **told(
        "Claim that a transaction pays this order",
        body=Claimed,
        example={"tx_hash": TX_HASH},
        answers={202: {**ORDER, "status": "verifying", "wallet_step": "mint_verifying"}},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def claim_transaction(request: Request, order_id: OrderId) -> Response:
    who = signed_in(request, "user")
    await own_order(request, who, order_id)
    body = await read_body(request, Claimed)
    return await write(request, who, ClaimTransaction(order_id=order_id, tx_hash=body.tx_hash))


@router.post(
    "/retry",
    **told(
        "Open a failed order again; nothing was taken for it",
        body=NoBody,
        example={},
        answers={200: ORDER},
        problems=REFUSALS,
        keyed=True,
    ),
)
async def retry_order(request: Request, order_id: OrderId) -> Response:
    who = signed_in(request, "user")
    await own_order(request, who, order_id)
    await read_body(request, NoBody)
    return await write(request, who, ReopenOrder(order_id=order_id))


async def with_live_depth(parts: Parts, view: dict[str, Any]) -> dict[str, Any]:
    """The view with its evidence as deep as it is now; as recorded while the chain is silent."""
    evidence = view["evidence"]
    head = await parts.chain.live() if evidence else None
    if head is None:
        return view
    return {**view, "evidence": {**evidence, "depth": max(head.number - evidence["block"] + 1, 0)}}
