"""Rows of the table about x402: a payment verified and its voucher signed; a settlement told again.

The chain is a real anvil with USDC and Geoplets; the facilitator says yes at once.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import httpx
import orjson
import uvloop
from eth_account import Account

from api.tokens import Tokens
from bench import load
from bench.http import CHAIN, there
from bench.measure import Measurement, alone, percentile
from commands.command import Command, Context, handle
from commands.passes import OpenPass
from commands.x402_outcome import LandPayment
from commands.x402_payment import TrackPayment
from consumers.gateways.eip712 import authorization_digest
from domain.payment_slot import PaymentSlot
from domain.x402 import Authorization, PaymentTerms
from domain.x402_attempt import Landing
from domain.x402_header import read_payment
from ledger.ledger import Ledger
from settings import Settings
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld, start_child

PAYERS, ARRIVING, AT_ONCE, FIRST_FID, VISITS = 3_000, 500, 50, 10_000, 300
PATH = "/api/get-mint-signature"
WALLET = Account.from_key("0x" + "22" * 32)  # a test key


def rows(world: TestWorld, database: Database) -> Iterator[Measurement]:
    environment = told(world, database)
    settings = Settings.load(**{name.lower(): value for name, value in environment.items()})
    terms = settings.x402_terms["mint"]
    header = uvloop.run(signed_up(settings, terms))
    with served(world, environment) as url:
        tokens = Tokens(settings)
        yield from verified(url, tokens, terms)
        yield settled_again(url, tokens, header)


def told(world: TestWorld, database: Database) -> dict[str, str]:
    world.place.ports.reserve("bench_x402", "bench_yes")
    ports = world.place.ports
    return {
        **world.environment(),
        **CHAIN,
        **world.gives("anvil"),
        "DATABASE_URL": database.url,
        "MEGA_PORT": str(ports["bench_x402"]),
        "MEGA_FACILITATOR": "x402",
        "MEGA_X402_FACILITATOR_URL": f"http://127.0.0.1:{ports['bench_yes']}",
        "YES_PORT": str(ports["bench_yes"]),
    }


@contextmanager
def served(world: TestWorld, environment: dict[str, str]) -> Iterator[str]:
    children: list[Child] = []
    url = f"http://127.0.0.1:{environment['MEGA_PORT']}"
    try:
        for module in ("bench.yes", "api"):
            children.append(start_child((module,), environment, world.place.data))
        eventually(partial(there, environment["MEGA_X402_FACILITATOR_URL"], ""), within_s=60)
        eventually(partial(there, f"{url}/healthz", ""), within_s=60)
        yield url
    finally:
        for child in children:
            child.stop()


async def signed_up(settings: Settings, terms: PaymentTerms) -> str:
    """A pass with a fid for each payer, all with one wallet; answers the header of one of them
    whose payment is settled."""
    async with Ledger(settings.database, master_key=settings.master_key) as ledger:

        async def do(command: Command) -> None:
            at = datetime.now(UTC)
            await handle(ledger, command, Context(at, "bench", "command:bench"))

        wallet = f"eip155:{WALLET.address.lower()}"
        names = {pass_of(n): (f"fid:{FIRST_FID + n}", wallet) for n in range(PAYERS + 1)}
        opening = [OpenPass(new_pass_id=id_, identities=known) for id_, known in names.items()]
        await do(opening[0])  # the wallet is claimed once; the others only list it
        await asyncio.gather(*[do(each) for each in opening[1:]])
        header = signed(terms)
        payment = read_payment(header)
        fid = FIRST_FID + PAYERS
        await do(
            TrackPayment(
                fid=fid,
                payment_type="mint",
                owner=pass_of(PAYERS),
                terms=terms,
                payment=payment,
                seen_block=1,
                hand_in=True,
            )
        )
        landing = Landing(WALLET.address.lower(), terms.amount, "0x" + "5e" * 32, 1, "0xb1", 0, 1)
        order_id = PaymentSlot().next_order_id(fid, "mint")
        nonce = payment.authorization.nonce
        await do(LandPayment(order_id=order_id, nonce=nonce, found=landing, confirmations=1))
    return header


def pass_of(number: int) -> str:
    return f"pass:user:x402-{number}"


def signed(terms: PaymentTerms) -> str:
    """A payment header of the wallet, version 1."""
    until = int(time.time()) + 900
    payer = WALLET.address.lower()
    nonce = "0x" + secrets.token_hex(32)
    meant = Authorization(payer, terms.pay_to, terms.amount, 0, until, nonce)
    signature = Account.unsafe_sign_hash(authorization_digest(meant, terms), WALLET.key).signature
    said = {
        "from": payer,
        "to": terms.pay_to,
        "value": str(terms.amount),
        "validAfter": "0",
        "validBefore": str(until),
        "nonce": nonce,
    }
    payload = {"signature": "0x" + bytes(signature).hex(), "authorization": said}
    message = {"x402Version": 1, "scheme": "exact", "network": terms.v1_network, "payload": payload}
    return base64.b64encode(orjson.dumps(message)).decode()


def verified(url: str, tokens: Tokens, terms: PaymentTerms) -> Iterator[Measurement]:
    """A new payment of a new payer each: from the request to the voucher, p99 in milliseconds."""
    asked = [
        load.request(
            "POST",
            PATH,
            {"fid": FIRST_FID + number, "userAddress": WALLET.address},
            tokens.issue(pass_of(number)),
            headers={"X-PAYMENT": signed(terms)},
        )
        for number in range(PAYERS)
    ]
    fresh = iter(asked[ARRIVING:])
    held = uvloop.run(load.waits(url, AT_ONCE, lambda: next(fresh, None)))
    yield _voucher(f"{AT_ONCE} in flight", held)
    yield _voucher(f"{AT_ONCE} a second", uvloop.run(load.arrivals(url, AT_ONCE, asked[:ARRIVING])))


def _voucher(how: str, waits: list[float]) -> Measurement:
    return alone(
        f"x402 payment verified and voucher signed, {how}, p99",
        percentile(waits, 0.99) * 1000,
        unit="ms",
        target=50,
        at_most=True,
        runs=len(waits),
    )


def settled_again(url: str, tokens: Tokens, header: str) -> Measurement:
    """A payment that is settled already, asked to be settled: p99 in milliseconds."""
    body = {"paymentHeader": header, "fid": FIRST_FID + PAYERS, "paymentType": "mint"}
    said = {"Authorization": f"Bearer {tokens.issue(pass_of(PAYERS))}"}
    waits = []
    with httpx.Client(base_url=url, headers=said) as client:
        for _ in range(VISITS):
            start = time.perf_counter()
            answer = client.post("/api/settle-payment", json=body)
            waits.append(time.perf_counter() - start)
            assert answer.json()["settled"], answer.text
    return alone(
        "settlement of a settled payment, told from the ledger, p99",
        percentile(waits, 0.99) * 1000,
        unit="ms",
        target=20,
        at_most=True,
        runs=VISITS,
    )
