"""Batches between a request and its answer: prepared, handed in, waited for (`contract.md` §5)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from api.deps import answered, context, key_hash, parts_of, recorded
from api.parts import Parts
from api.pfp_problems import SolanaSilent
from api.principal import Principal
from commands.batches import CancelBatch, SeeBatch, SubmitPayment
from commands.command import KeepAnswer, Outcome, handle, look
from commands.mint_wishes import WishForToken
from commands.prepare_batch import OpenPayment, PrepareBatch
from domain.batch import Batch
from domain.batch_events import BatchRecipe
from domain.batch_view import describe_minted
from domain.event import Refused
from domain.pfp_refusals import (
    BatchExpired,
    BatchPaymentInFlight,
    InsufficientFunds,
    SignatureMissing,
)
from domain.solana import BLOCKHASH_LASTS, Prepared

T = TypeVar("T")

LOOKS_MAX = 3
NO_MONEY = '"Custom":1}'
"""The system program's word for a payer with too little, in a node's compact JSON."""


async def preparation(
    request: Request,
    who: Principal,
    wallet: str,
    quantity: int,
    recipe: BatchRecipe = "pfp_batch",
    entropy: str = "",
) -> PrepareBatch:
    """The command; its payment is made by the newest blockhash. Without one only what credits
    cover can be prepared."""
    parts = parts_of(request)
    solana = parts.solana
    try:
        blockhash = await solana.blockhash()
    except SolanaSilent as silent:
        pay = _cannot_pay(silent)
    else:

        def pay(wallet: str, lamports: int, reference: str) -> Prepared:
            return solana.pay(wallet, lamports, reference, blockhash)

    return PrepareBatch(
        owner=who.pass_id,
        wallet=wallet,
        batch_id=str(uuid4()),
        recipe=recipe,
        quantity=quantity,
        price=solana.price,
        treasury=solana.treasury,
        entropy=entropy or secrets.token_hex(32),
        expires_at=parts.clock.now() + BLOCKHASH_LASTS,
        pay=pay,
    )


async def once_unseen(
    parts: Parts,
    command: PrepareBatch,
    do: Callable[[PrepareBatch], Awaitable[Outcome]],
    looks: int = LOOKS_MAX,
) -> Outcome:
    """Does it. Where a batch is open already, the chain is asked for its payment first; the one of
    another tab may stand there by then."""
    try:
        return await do(command)
    except OpenPayment as open_:
        if not looks:
            raise
        if await parts.solana.seen(open_.signature):
            raise BatchPaymentInFlight() from None
        looked = command.model_copy(update={"unseen": open_.signature})
        return await once_unseen(parts, looked, do, looks - 1)


def _cannot_pay(why: Refused) -> Callable[[str, int, str], Prepared]:
    def pay(wallet: str, lamports: int, reference: str) -> Prepared:
        raise why

    return pay


async def batch_now(parts: Parts, batch_id: str) -> Batch:
    see = SeeBatch(batch_id=batch_id)
    return see.batch(await look(parts.ledger, see))


async def until(
    parts: Parts, batch_id: str, there: Callable[[Batch], bool], within_s: float
) -> Batch:
    """The batch once it is so, or as it is after `within_s` seconds."""
    return await looked_for(parts, partial(batch_now, parts, batch_id), there, within_s)


async def looked_for(
    parts: Parts, look_up: Callable[[], Awaitable[T]], there: Callable[[T], bool], within_s: float
) -> T:
    """What is looked up again and again, once it is so, or as it is after `within_s` seconds."""
    end = asyncio.get_running_loop().time() + within_s
    found = await look_up()
    while not there(found) and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(parts.solana.patience.look_s)
        found = await look_up()
    return found


def settled(batch: Batch) -> bool:
    """Whether the chain has said what it will of a payment that was handed in."""
    return batch.status != "confirming"


async def handed_in(parts: Parts, batch: Batch, said: str) -> str:
    """The whole signed transaction in base64, empty when it is paid already. Refused when it is
    not the prepared one, when it comes too late, or when the wallet cannot pay."""
    if batch.paid:
        return ""
    batch.must_be_payable()
    window = batch.window
    if window is None:
        raise BatchExpired()
    prepared = Prepared(
        window.message, window.raw, window.signature, window.blockhash, window.last_valid_height
    )
    raw = parts.solana.complete(prepared, batch.wallet, said)
    if not batch.submitted and not await parts.solana.seen(window.signature):
        if await parts.solana.height() > window.last_valid_height:
            raise BatchExpired()
        if NO_MONEY in await parts.solana.failure(raw):
            raise InsufficientFunds()
    return raw


async def confirm(
    request: Request, who: Principal, batch: Batch, said: str | None, auto_mint: bool
) -> Response:
    """Records what the wallet handed in, and waits a little for the chain's word."""
    parts, id_ = parts_of(request), batch.batch_id
    if said is None and not batch.paid:
        batch.must_be_payable()
        raise SignatureMissing()
    raw = await handed_in(parts, batch, said or "")
    submit = SubmitPayment(batch_id=id_, raw=raw, auto_mint=auto_mint)
    await handle(parts.ledger, submit, context(request, who))
    now = await until(parts, id_, settled, parts.solana.patience.handed_in_s)
    if not now.paid:
        now.must_be_payable()
    body = {"batchId": id_, "status": "paid" if now.paid else "confirming"}
    keep = KeepAnswer(about=now.stream, status=200, body=body, owner=now.pass_id)
    return answered(await recorded(request, who, keep))


async def cancel(request: Request, who: Principal, batch: Batch) -> Response:
    """Gives up an unpaid batch, unless its payment is on the chain already."""
    parts = parts_of(request)
    if batch.unpaid and batch.window and await parts.solana.seen(batch.window.signature):
        raise BatchPaymentInFlight()
    return answered(await recorded(request, who, CancelBatch(batch_id=batch.batch_id)))


async def mint_one(request: Request, who: Principal, batch_id: str) -> Response:
    """Opens the next unit and waits for what comes of it; it goes on without who asked."""
    parts = parts_of(request)
    patience = parts.solana.patience
    batch = await until(parts, batch_id, settled, patience.paid_s)
    if not settled(batch):
        raise BatchPaymentInFlight()
    wish = key_hash(request, who) or request.state.request_id
    wishing = WishForToken(batch_id=batch_id, wish=wish)
    wished = await handle(parts.ledger, wishing, context(request, who))
    index: int = wished.answer.body["index"]
    if index:
        await until(parts, batch_id, lambda b: not b.unit(index).open, patience.made_s)
    see = SeeBatch(batch_id=batch_id)
    seen = await look(parts.ledger, see)
    batch = see.batch(seen)
    left = {"remaining": batch.remaining, "pfp_credits": see.credits(seen)}
    body: dict[str, Any] = {**_came_of(batch, index), **left}
    keep = KeepAnswer(about=batch.stream, status=200, body=body, owner=batch.pass_id)
    return answered(await recorded(request, who, keep))


def _came_of(batch: Batch, index: int) -> dict[str, Any]:
    unit = batch.unit(index)
    if unit.minted:
        return {"success": True, "minted": describe_minted(unit.minted)}
    if not index and not batch.remaining:
        return {"success": False, "reason": "BATCH_COMPLETE"}
    if not index or unit.open or unit.failure is None:
        return {"success": False, "reason": "MINT_IN_PROGRESS"}
    quota = unit.failure.error_class == "quota"
    return {"success": False, "reason": "STORAGE_QUOTA" if quota else "MINT_FAILED"}
