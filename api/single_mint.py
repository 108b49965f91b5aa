"""Single mints: the picture first, then one transaction that pays and mints (`contract.md` §5)."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.batching import handed_in, looked_for, once_unseen, preparation, settled, until
from api.deps import answered, context, parts_of, recorded
from api.parts import Parts
from api.principal import Principal
from api.reading import SQL
from commands.batches import SubmitPayment
from commands.command import KeepAnswer, handle, look
from commands.grove import SeeGrove
from commands.prepare_batch import PrepareSingle
from domain.batch import Batch
from domain.batch_view import describe_minted
from domain.pfp_refusals import PictureNotReady
from domain.pfp_unit import token_name
from domain.solana import BLOCKHASH_LASTS, Prepared


async def prepare(request: Request, who: Principal, wallet: str) -> Response:
    """Opens a mint, waits for its picture, and makes the transaction. A picture that was stored
    for a mint that came to nothing is used again."""
    parts = parts_of(request)
    entropy = await _left_over(parts, who, wallet)
    opening = await preparation(request, who, wallet, 1, "pfp_single", entropy)
    do = partial(handle, parts.ledger, context=context(request, who))
    opened = await once_unseen(parts, opening, do)
    id_ = str(opened.answer.body["batchId"])
    batch = await until(parts, id_, _drawn, parts.solana.patience.made_s)
    if batch.ended or not batch.unit(1).art_stored:
        raise PictureNotReady()
    blockhash = await parts.solana.blockhash()
    unit = batch.unit(1)
    prepared: Prepared = parts.solana.prepare_mint(
        owner=batch.wallet,
        name=token_name(unit.seed),
        uri=unit.uri("metadata"),
        reference=f"{id_}/1",
        tree=await _tree(parts),
        lamports=batch.lamports,
        blockhash=blockhash,
    )
    expires_at = parts.clock.now() + BLOCKHASH_LASTS
    minter = parts.solana.minter
    ready = PrepareSingle(batch_id=id_, prepared=prepared, expires_at=expires_at, minter=minter)
    return answered(await recorded(request, who, ready))


async def confirm(request: Request, who: Principal, batch: Batch, said: str) -> Response:
    parts, id_ = parts_of(request), batch.batch_id
    failed = bool(batch.submitted and batch.ended)
    if raw := "" if failed else await handed_in(parts, batch, said):
        submit = SubmitPayment(batch_id=id_, raw=raw)
        await handle(parts.ledger, submit, context(request, who))
    now = await until(parts, id_, settled, parts.solana.patience.handed_in_s)
    body: dict[str, Any] = {"mintId": id_, "status": _spoken_status(now)}
    if now.minted:
        body["minted"] = describe_minted(now.minted[0])
    keep = KeepAnswer(about=now.stream, status=200, body=body, owner=now.pass_id)
    return answered(await recorded(request, who, keep))


def _drawn(batch: Batch) -> bool:
    return batch.unit(1).art_stored or bool(batch.ended) or bool(batch.paid)


def _spoken_status(batch: Batch) -> str:
    if batch.ended:
        return "failed"
    return "complete" if batch.minted else "confirming"


async def _tree(parts: Parts) -> str:
    """The tree to mint into, which grows for the first mint that wants one; empty for a minter
    that needs none."""
    if not parts.solana.authority:
        return ""
    see = SeeGrove(authority=parts.solana.authority)

    async def grown() -> str:
        return see.grove(await look(parts.ledger, see)).tree

    tree = await looked_for(parts, grown, bool, parts.solana.patience.made_s)
    if not tree:
        raise PictureNotReady()
    return tree


async def _left_over(parts: Parts, who: Principal, wallet: str) -> str:
    """The entropy of the last single mint, when it came to nothing; empty: take a new one."""
    asked = {"names": list(who.names), "wallet": wallet}
    rows = await parts.reader.rows(SQL["last_single"], asked)
    return str(rows[0][0]) if rows else ""
