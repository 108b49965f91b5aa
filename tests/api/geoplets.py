"""People who pay for Geoplets by x402, and the consumers' part, done at a test's word."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from eth_account import Account
from eth_account.signers.local import LocalAccount

from api.paying import order_in
from commands.passes import Identify
from commands.regeneration import FailRegeneration, StoreRegeneration
from commands.x402_outcome import (
    LandPayment,
    LapsePayment,
    RecordGeopletMint,
    RejectPayment,
    RetractX402Block,
    TrySettlement,
)
from commands.x402_slot import SubmitPayment
from domain.geoplet_mint import MintFound
from domain.x402_attempt import Landing
from domain.x402_events import PaymentType
from domain.x402_header import read_payment
from domain.x402_order import X402Order
from tests.api.based import MINT, REGENERATE, signed_header
from tests.api.living import Caller, Living

DEEP = 3
PATIENCE_S = 15.0
fids = itertools.count(1_000_001)


@dataclass
class Buyer:
    """Somebody whose pass has a wallet and a fid."""

    here: Living
    caller: Caller
    account: LocalAccount
    fid: int

    @property
    def wallet(self) -> str:
        return str(self.account.address).lower()

    @property
    def now(self) -> int:
        return int(self.here.parts.clock.now().timestamp())

    def header(self, kind: PaymentType = "mint", **given: Any) -> str:
        terms = MINT if kind == "mint" else REGENERATE
        return signed_header(self.account, terms, **{"valid_before": self.now + 900, **given})

    async def sign(self, header: str | None = None, **more: Any) -> httpx.Response:
        """POST /api/get-mint-signature; a version 1 header, unless `named` says otherwise."""
        body = {"fid": self.fid, "userAddress": self.wallet, **more.pop("body", {})}
        return await self._paid("/api/get-mint-signature", body, header, **more)

    async def image(self, header: str | None = None, **more: Any) -> httpx.Response:
        body = {"fid": self.fid, "userAddress": self.wallet, **more.pop("body", {})}
        return await self._paid("/api/generate-image", body, header, **more)

    async def settle(self, header: str, kind: str = "mint", **more: Any) -> httpx.Response:
        body = {"paymentHeader": header, "fid": self.fid, "paymentType": kind}
        body |= more.pop("body", {})
        return await self._paid("/api/settle-payment", body, None, **more)

    async def tracking(self, kind: str = "mint", **query: Any) -> dict[str, Any]:
        answer = await self.caller.get(f"/api/payment-tracking/{self.fid}/{kind}", **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def order(self, kind: PaymentType = "mint") -> X402Order:
        return await order_in(self.here.parts, self.fid, kind)

    async def _paid(
        self, path: str, body: Any, header: str | None, *, named: str = "X-PAYMENT", key: str = ""
    ) -> httpx.Response:
        headers = {named: header} if header is not None else {}
        headers |= {"Idempotency-Key": key} if key else {}
        return await self.caller.ask("POST", path, json=body, headers=headers)

    async def hand_in(self, header: str, kind: PaymentType = "mint") -> None:
        """As settle-payment does, without waiting for what comes of it."""
        nonce = read_payment(header).authorization.nonce
        await self.here.do(SubmitPayment(fid=self.fid, payment_type=kind, nonce=nonce))

    # The consumers' part.

    async def land(self, header: str, kind: PaymentType = "mint", **more: Any) -> Landing:
        """The watchers find the payment on chain."""
        order, payment = await self.order(kind), read_payment(header)
        facts: dict[str, Any] = {
            "payer": self.wallet,
            "amount": payment.authorization.value,
            "tx_hash": "0x" + secrets.token_hex(32),
            "block_number": 50,
            "block_hash": "0x" + secrets.token_hex(32),
            "log_index": 0,
            "depth": DEEP,
        }
        found = Landing(**{**facts, **more})
        about = {"order_id": order.order_id, "nonce": payment.authorization.nonce}
        await self.here.do(LandPayment(**about, found=found, confirmations=DEEP))
        return found

    async def submitted(self, kind: PaymentType = "mint") -> None:
        """Waits until the route has handed a payment in."""

        async def handed_in() -> bool:
            return (await self.order(kind)).in_flight

        await until(handed_in)

    async def meanwhile(
        self, asked: Awaitable[httpx.Response], outside: Callable[[], Awaitable[Any]], kind: Any
    ) -> httpx.Response:
        """The answer of a request, while the outside does its part once a payment is handed in."""

        async def then() -> None:
            await self.submitted(kind)
            await outside()

        answer, _ = await asyncio.gather(asked, then())
        return answer

    async def settled(self, header: str, kind: PaymentType = "mint") -> httpx.Response:
        """Settles by the route, with a facilitator that does its work."""
        asked = self.settle(header, kind)
        return await self.meanwhile(asked, lambda: self.land(header, kind), kind)

    async def refuse(self, header: str, kind: PaymentType = "mint") -> None:
        """The facilitator's first word is no, and the chain shows the payment unused."""
        order, nonce = await self.order(kind), read_payment(header).authorization.nonce
        about = {"order_id": order.order_id, "nonce": nonce}
        await self.here.do(TrySettlement(**about))
        await self.here.do(RejectPayment(**about, reason="insufficient_funds"))

    async def lapse(self, header: str, kind: PaymentType = "mint") -> None:
        order, said = await self.order(kind), read_payment(header).authorization
        proof = {"proof_block": 99, "proof_block_hash": "0xb99", "proof_time": said.valid_before}
        await self.here.do(LapsePayment(order_id=order.order_id, nonce=said.nonce, **proof))

    async def retract(self, block_hash: str, kind: PaymentType = "mint") -> None:
        order = await self.order(kind)
        await self.here.do(RetractX402Block(order_id=order.order_id, block_hash=block_hash))

    async def mint(self, *, deep: bool = True, owner: str = "") -> None:
        """A block has the Geoplet of this fid."""
        order = await self.order()
        found = MintFound(owner or self.wallet, "0x" + "a1" * 32, 60, "0x" + "b1" * 32, 1)
        await self.here.do(RecordGeopletMint(order_id=order.order_id, found=found, deep=deep))

    async def draw(self, attempt: int = 1) -> None:
        order = await self.order("regenerate")
        picture = {"sha256": "00", "content_type": "image/webp", "bytes": 9, "attempt": attempt}
        url = "http://assets.test/a.webp"
        about = {"order_id": order.order_id, "provider": "openai"}
        await self.here.do(StoreRegeneration(**about, output_url=url, **picture))

    async def fail(self, error_class: str, attempt: int = 1) -> None:
        order = await self.order("regenerate")
        about = {"order_id": order.order_id, "provider": "openai", "attempt": attempt}
        why = {"error_class": error_class, "reason": "no", "retry_cap": timedelta(seconds=30)}
        await self.here.do(FailRegeneration(**about, **why))

    async def drawing(self, attempt: int = 1) -> None:
        """Waits until an attempt is asked for."""

        async def asked_for() -> bool:
            picture = (await self.order("regenerate")).picture
            return picture.open and picture.attempt == attempt

        await until(asked_for)


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    """Waits for a yes; an AssertionError when there is none in time."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not await question():
        assert asyncio.get_running_loop().time() < deadline, f"not true within {PATIENCE_S} s"
        await asyncio.sleep(0.005)


async def later(here: Living, by: timedelta) -> None:
    """The clock is moved ahead, the chain's too."""
    now = await here.parts.clock.advance(by)

    async def told() -> bool:
        block = await here.parts.chain.live()
        return block is not None and block.time >= int(now.timestamp())

    await until(told)


async def silence(here: Living, silent: bool) -> None:
    """The chain stops answering, or answers again; returns once the routes know."""
    here.head[0] = None if silent else 100

    async def known() -> bool:
        return (await here.parts.chain.live() is None) == silent

    await until(known)


async def buyer(here: Living, scope: str = "user") -> Buyer:
    account: LocalAccount = Account.create()
    caller, fid = await here.caller(scope, wallet=str(account.address).lower()), next(fids)
    identity = f"fid:{fid}"
    await here.do(
        Identify(identity=identity, new_pass_id=f"pass:user:{identity}", current=caller.pass_id)
    )
    return Buyer(here, caller, account, fid)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """(status, code) of a problem, every member of which is checked."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert body["status"] == answer.status_code
    assert body["success"] is False
    assert body["error"] == {"code": body["code"], "message": body["detail"]}
    return answer.status_code, body["code"]
