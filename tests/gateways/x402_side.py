"""Payers of x402 payments, and a server in the test's own process that answers as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from eth_account import Account
from eth_keys import keys

from consumers.gateways.eip712 import authorization_digest, signed
from domain.x402 import Authorization, PaymentTerms, SignedPayment
from embedded.deploy_plan import dev_wallets

NOW = 1_800_000_000
USDC = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
PAYER = keys.PrivateKey(b"\x22" * 32)
PAYER_ADDRESS = PAYER.public_key.to_address()
TERMS = PaymentTerms(chain_id=8453, token=USDC, pay_to="0x" + "ab" * 20, amount=1_000_000)
NONCE = "0x" + "5a" * 32


def authorization(**changes: Any) -> Authorization:
    said = Authorization(
        payer=PAYER_ADDRESS,
        pay_to=TERMS.pay_to,
        value=TERMS.amount,
        valid_after=0,
        valid_before=NOW + 900,
        nonce=NONCE,
    )
    return replace(said, **changes)


def pay(
    said: Authorization | None = None,
    *,
    terms: PaymentTerms = TERMS,
    key: keys.PrivateKey = PAYER,
    version: int = 1,
) -> SignedPayment:
    """A payment as `read_payment` would give it; its header only has to be somebody's secret."""
    said = said or authorization()
    accepted = (terms.token, terms.pay_to, str(terms.amount)) if version == 2 else None
    return SignedPayment(
        version=version,
        scheme="exact",
        network=terms.network(version),
        authorization=said,
        signature=signed(authorization_digest(said, terms), key),
        header="aGVhZGVyIG9mIGEgcGF5bWVudA==",
        accepted=accepted,
    )


def dev_key(number: int) -> keys.PrivateKey:
    return keys.PrivateKey(bytes(Account.from_key(dev_wallets()[number].private_key).key))


@dataclass
class Told:
    """An answer of the server. `fault`: `drop` sends nothing, `cut` half of it, `hang` waits."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    def sent(self) -> bytes:
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        fields = {"content-length": str(len(content)), "connection": "close"} | self.headers
        lines = [f"HTTP/1.1 {self.status} Told", *(f"{k}: {v}" for k, v in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass
class Server:
    url: str = ""
    told: Told = field(default_factory=Told)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.asked.append((first.split()[1], headers, json.loads(body)))
            whole = self.told.sent()
            if self.told.fault == "hang":
                await reader.read()
            elif self.told.fault != "drop":
                writer.write(whole[:-5] if self.told.fault == "cut" else whole)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield made
