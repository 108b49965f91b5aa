"""`mega demo geoplet`: pay by x402 in both versions and mint; then seed 004's five failures, each
ended well, with the number of payments that the facilitator's own ledger counts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from cli.demo import Teller
from cli.say import AsJson, as_json
from cli.world import running_world

if TYPE_CHECKING:
    import httpx

    from cli.visitor import Visitor

PATIENCE_S = 60
SHORT_S = 8
IMAGE = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="  # a white WebP of one pixel
QUOTA = {
    "match": {"path": "/v1/images/generations"},
    "times": 1,
    "response": {
        "status": 429,
        "body": {
            "error": {
                "message": "You exceeded your current quota.",
                "type": "insufficient_quota",
                "param": None,
                "code": "insufficient_quota",
            }
        },
    },
}


def geoplet(json_: AsJson = False) -> None:
    """Pay for Geoplets by x402 in the running world; five things go wrong, and nothing is lost."""
    import httpx

    tell = Teller(quiet=json_)
    try:
        asyncio.run(stories(running_world(), tell))
        if json_:
            as_json(tell.told)
    except httpx.TransportError as down:
        raise SystemExit(f"The world does not answer ({down}). Start it with: make run") from None


async def stories(world: dict[str, Any], say: Teller) -> None:
    from cli.visitor import Visitor
    from ledger.chain import verify

    for tell in (paid_v1, paid_v2, closed_page, rejected_mint, expired, exhausted, no_simulation):
        visitor = Visitor(world)
        await visitor.arrive()
        say("", "")
        say("story", (tell.__doc__ or "").rstrip("."))
        say("fid", f"{visitor.fid}  {visitor.wallet.address}")
        await tell(visitor, say)
        say("payments taken", str(await once(visitor)))
    chain = await asyncio.to_thread(verify, world["database_url"])
    say("", "")
    say("ledger", f"{'verified' if chain.ok else 'BROKEN'}, {chain.position} events")


async def paid_v1(visitor: Visitor, say: Teller) -> None:
    """An x402 v1 client pays, and the wallet mints."""
    await whole(visitor, say, told(await visitor.pay_v1("/api/get-mint-signature", visitor.mine)))


async def paid_v2(visitor: Visitor, say: Teller) -> None:
    """An x402 v2 client pays, and the wallet mints."""
    await whole(visitor, say, told(await visitor.pay("/api/get-mint-signature", visitor.mine)))


async def whole(visitor: Visitor, say: Teller, given: dict[str, Any]) -> None:
    """verified → settled → minting → minted."""
    await until(visitor, say, "verified")
    settled(say, await visitor.settle(given["paymentHeader"]))
    await until(visitor, say, "settled")
    say("mint sent", await visitor.mint(given["voucher"], given["signature"], IMAGE))
    await until(visitor, say, "minted")


async def closed_page(visitor: Visitor, say: Teller) -> None:
    """1: the page is closed after the settlement."""
    given = told(await visitor.pay("/api/get-mint-signature", visitor.mine))
    settled(say, await visitor.settle(given["paymentHeader"]))
    say("closed", "the page forgets all it knew")
    found = await until(visitor, say, "settled")
    say("came back", f"canResume {found['canResume']}, way on: {found['recovery']['action']}")
    say("mint sent", await visitor.mint(found["mintVoucher"], found["mintSignature"], IMAGE))
    await until(visitor, say, "minted")


async def rejected_mint(visitor: Visitor, say: Teller) -> None:
    """2: the wallet's owner rejects the mint."""
    given = told(await visitor.pay("/api/get-mint-signature", visitor.mine))
    settled(say, await visitor.settle(given["paymentHeader"]))
    say("rejected", "no transaction was sent")
    await until(visitor, say, "settled")
    again = told(await visitor.post("/api/get-mint-signature", visitor.mine))
    say("same voucher", f"without a payment: {again['voucher'] == given['voucher']}")
    say("mint sent", await visitor.mint(again["voucher"], again["signature"], IMAGE))
    await until(visitor, say, "minted")


async def expired(visitor: Visitor, say: Teller) -> None:
    """3: the signature expires before it is settled."""
    path = "/api/get-mint-signature"
    given = told(await visitor.pay_v1(path, visitor.mine, lasts_s=SHORT_S))
    say("signed", f"for {SHORT_S} seconds only, until {given['expiresAt']}")
    await asyncio.sleep(SHORT_S + 1)
    refusal = await visitor.settle(given["paymentHeader"])
    say("settle", f"{refusal.status_code} {refusal.json()['error']['code']}")
    say("tracking", str((await visitor.tracking())["status"]))
    await whole(visitor, say, told(await visitor.pay(path, visitor.mine)))


async def exhausted(visitor: Visitor, say: Teller) -> None:
    """4: the image provider is out of credit after the payment."""
    import httpx

    from cli.visitor import Visitor

    async with httpx.AsyncClient(base_url=visitor.world["twins"]["openai"]) as twin:
        (await twin.post("/_twin/script", json=QUOTA)).raise_for_status()
    failed = await visitor.pay("/api/generate-image", visitor.mine)
    problem(say, "paid for", failed)
    other = Visitor(visitor.world)
    await other.arrive()
    problem(say, "somebody else", await other.post("/api/generate-image", other.mine))
    made = told(await visitor.post("/api/generate-image", visitor.mine))
    say("tried again", f"without a payment: a picture of {len(made['data'])} base64 characters")
    await until(visitor, say, "completed", "regenerate")


async def no_simulation(visitor: Visitor, say: Teller) -> None:
    """5: the wallet's simulation of the mint fails after the payment."""
    given = told(await visitor.pay("/api/get-mint-signature", visitor.mine))
    settled(say, await visitor.settle(given["paymentHeader"]))
    empty = visitor.minting(given["voucher"], given["signature"], "")
    say("simulation", await visitor.simulate(empty))
    await until(visitor, say, "settled")
    say("mint sent", await visitor.mint(given["voucher"], given["signature"], IMAGE))
    await until(visitor, say, "minted")


def told(answer: httpx.Response) -> dict[str, Any]:
    """The body of a success; ends with a sentence when it is none."""
    body: dict[str, Any] = answer.json()
    if answer.is_error:
        raise SystemExit(f"{answer.request.url} answered {answer.status_code}: {body['detail']}")
    return body


def settled(say: Teller, answer: httpx.Response) -> None:
    body = told(answer)
    say("settled", body.get("txHash") or "not yet: its outcome is being looked up on chain")


def problem(say: Teller, what: str, answer: httpx.Response) -> None:
    body = answer.json()
    say(what, f"{answer.status_code} {body['code']}, charged: {body['charged']}")


async def until(
    visitor: Visitor, say: Teller, status: str, payment_type: str = "mint"
) -> dict[str, Any]:
    """Says each status of the tracking once, until it is this one."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = await visitor.tracking(payment_type)
        if found["status"] != visitor.shown:
            visitor.shown = found["status"]
            say("tracking", str(visitor.shown))
        if visitor.shown == status:
            return found
        await asyncio.sleep(0.05)
    raise SystemExit(f"Not {status} after {PATIENCE_S} s, but {visitor.shown}; it goes on.")


async def once(visitor: Visitor) -> int:
    """The number of payments, which is one; anything else ends the demo."""
    payments = await visitor.payments()
    if payments != 1:
        raise SystemExit(f"{payments} payments were taken for fid {visitor.fid}, not one.")
    return payments
