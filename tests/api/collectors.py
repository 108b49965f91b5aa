"""People with a Solana wallet who mint PFPs, and the consumers' part, done at a test's word."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from solders.keypair import Keypair

from api.batching import batch_now
from commands.allowances import SeeAllowance, SetAllowances
from commands.batch_mints import FailMint, FileIsStored, RecordToken, SealFile, SignMint
from commands.batches import (
    Landed,
    LandedWithToken,
    PaymentFailed,
    PaymentLapsed,
    SubmitPayment,
)
from commands.command import look
from commands.grove import GrowTree
from commands.passes import Identify
from domain.allowance import Allowance, allowance_stream
from domain.batch import Batch
from domain.solana import Absence, Prepared, TokenFound
from tests.api.fake_solana import AUTHORITY, LASTS, TREE, signed
from tests.api.geoplets import until
from tests.api.living import Caller, Living

SLOT = 77


@dataclass
class Collector:
    """Somebody whose pass has a Solana wallet; `key` signs for it."""

    here: Living
    caller: Caller
    key: Keypair

    @property
    def wallet(self) -> str:
        return str(self.key.pubkey())

    # What they ask.

    async def ask(self, path: str, body: Any, key: str = "") -> httpx.Response:
        named = {"Idempotency_Key": key} if key else {}
        return await self.caller.post(f"/pfp/{path}", body, **named)

    async def prepare(self, quantity: Any, **more: Any) -> httpx.Response:
        key = more.pop("key", "")
        return await self.ask("prepare-batch", {"quantity": quantity, **more}, key)

    async def prepared(self, quantity: int) -> dict[str, Any]:
        answer = await self.prepare(quantity)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def confirm(self, id_: str, transaction: Any = None, **more: Any) -> httpx.Response:
        key = more.pop("key", "")
        said = {} if transaction is None else {"signedTransactionBase64": transaction}
        return await self.ask("confirm-batch", {"batchId": id_, **said, **more}, key)

    async def mint(self, id_: str, key: str = "") -> httpx.Response:
        return await self.ask("mint-from-batch", {"batchId": id_}, key)

    async def cancel(self, id_: str, key: str = "") -> httpx.Response:
        return await self.ask("cancel-batch", {"batchId": id_}, key)

    async def status(self, **query: Any) -> dict[str, Any]:
        position = await self.here.position()
        answer = await self.caller.get("/pfp/status", min_position=position, **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sign(self, prepared: dict[str, Any]) -> str:
        return signed(prepared["transactionBase64"], self.key)

    async def submitted(self, quantity: int) -> str:
        """A batch whose payment is handed in; its id."""
        prepared = await self.prepared(quantity)
        answer = await self.confirm(prepared["batchId"], self.sign(prepared))
        assert answer.json()["status"] == "confirming", answer.text
        return str(prepared["batchId"])

    async def paid(self, quantity: int) -> str:
        """A batch whose payment is on the chain; its id."""
        id_ = await self.submitted(quantity)
        await self.land(id_)
        return id_

    async def single(self) -> dict[str, Any]:
        """A single mint whose picture was not there at first."""
        grown = GrowTree(authority=str(AUTHORITY.pubkey()), tree=TREE, capacity=16_384)
        await self.here.do(grown)
        answer = await self.ask("prepare", {})
        assert answer.json()["code"] == "PICTURE_UNAVAILABLE", answer.text
        await self.store((await self.reserved())[0], 1)
        answer = await self.ask("prepare", {})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def minted(self, id_: str) -> None:
        """The next token of a batch is made."""
        assert (await self.mint(id_)).json()["reason"] == "MINT_IN_PROGRESS"
        await self.make(id_)

    # The consumers' part.

    async def allow(self, count: int) -> None:
        await self.here.do(SetAllowances(items=((self.wallet, count),)))

    async def reserved(self) -> list[str]:
        """The batches and single mints that hold slots of the wallet."""
        seen = await look(self.here.parts.ledger, SeeAllowance(wallet=self.wallet))
        return list(seen.get(Allowance, allowance_stream(self.wallet)).reserved)

    async def batch(self, id_: str) -> Batch:
        return await batch_now(self.here.parts, id_)

    async def meanwhile(
        self,
        asked: Awaitable[httpx.Response],
        id_: str,
        ready: Callable[[Batch], bool],
        outside: Callable[[str], Awaitable[Any]],
    ) -> httpx.Response:
        """The answer of a request; the outside does its part once the batch is `ready`."""

        async def now() -> bool:
            return ready(await self.batch(id_))

        async def then() -> None:
            await until(now)
            await outside(id_)

        answer, _ = await asyncio.gather(asked, then())
        return answer

    async def meanwhile_new(
        self, asked: Awaitable[httpx.Response], outside: Callable[[str], Awaitable[Any]]
    ) -> httpx.Response:
        """The answer of a request that opens a single mint; the outside does its part for it."""

        async def begun() -> bool:
            return bool(await self.reserved())

        async def then() -> None:
            await until(begun)
            await outside((await self.reserved())[0])

        answer, _ = await asyncio.gather(asked, then())
        return answer

    async def signature(self, id_: str) -> str:
        window = (await self.batch(id_)).window
        assert window is not None
        return window.signature

    async def submit(self, prepared: dict[str, Any]) -> None:
        """As confirm-batch does, without waiting for what comes of it."""
        raw = self.sign(prepared)
        await self.here.do(SubmitPayment(batch_id=prepared["batchId"], raw=raw))

    async def working(self, id_: str) -> None:
        """Waits until a unit is asked for."""

        async def asked_for() -> bool:
            return bool((await self.batch(id_)).in_work)

        await until(asked_for)

    async def land(self, id_: str) -> None:
        """The payment is finalized, whoever sent it."""
        self.here.solana.known.add(signature := await self.signature(id_))
        await self.here.do(Landed(batch_id=id_, signature=signature, slot=SLOT))

    async def land_with_token(self, id_: str) -> None:
        """A single mint's transaction is finalized."""
        signature, token = await self.signature(id_), TokenFound(f"asset-{id_}", "tree", 0, SLOT)
        landed = {"batch_id": id_, "signature": signature, "slot": SLOT}
        await self.here.do(LandedWithToken(**landed, token=token))

    async def lapse(self, id_: str) -> None:
        """At a finalized height, nobody knows the payment."""
        window = (await self.batch(id_)).window
        assert window is not None
        self.here.solana.now = max(self.here.solana.now, window.last_valid_height + 1)
        proof = Absence(window.signature, height=window.last_valid_height + 1, slot=SLOT)
        await self.here.do(PaymentLapsed(batch_id=id_, proof=proof))

    async def fail_payment(self, id_: str, reason: str = "broke") -> None:
        await self.here.do(PaymentFailed(batch_id=id_, reason=reason, slot=SLOT))

    async def store(self, id_: str, index: int) -> None:
        for part in ("image", "metadata"):
            ids = {"batch_id": id_, "index": index, "part": part}
            item = f"{id_}-{index}-{part}"
            where = {"item_id": item, "uri": f"https://vault.test/{item}"}
            await self.here.do(SealFile(**ids, vault="irys", **where, sha256="00", bytes=1))
            await self.here.do(FileIsStored(**ids))

    async def make(self, id_: str) -> None:
        """The unit at work becomes a token."""
        index = (await self.batch(id_)).in_work[0].index
        await self.store(id_, index)
        signature = f"mint-{id_}-{index}"
        prepared = Prepared("bQ==", "cg==", signature, "hash", LASTS)
        ids = {"batch_id": id_, "index": index}
        signing = SignMint(**ids, number=1, minter="bubblegum", tree="tree", prepared=prepared)
        await self.here.do(signing)
        token = TokenFound(f"asset-{id_}-{index}", "tree", index, SLOT)
        await self.here.do(RecordToken(**ids, signature=signature, token=token))

    async def give_up(self, id_: str, error_class: str = "transient") -> None:
        """Every try of the unit at work fails."""
        index = (await self.batch(id_)).in_work[0].index
        failed = {"error_class": error_class, "reason": "no", "cap": timedelta(seconds=30)}
        while (await self.batch(id_)).unit(index).open:
            await self.here.do(FailMint(batch_id=id_, index=index, **failed))


async def collector(here: Living, allowed: int | None = 10) -> Collector:
    key = Keypair()
    identity = f"solana:{key.pubkey()}"
    found = await here.do(Identify(identity=identity, new_pass_id=f"pass:user:{identity}"))
    caller = here.known(found.answer.body["pass_id"], "user", str(key.pubkey()))
    made = Collector(here, caller, key)
    if allowed is not None:
        await made.allow(allowed)
    return made
