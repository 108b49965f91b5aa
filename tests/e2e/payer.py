"""Somebody who pays for Geoplets by x402: a pass with a fid and a wallet whose key is here.

The SDK's client signs by the real clock, so who moves a stage's clock signs by hand.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
from typing import Any

import httpx
import orjson
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from domain.x402 import PaymentTerms
from tests.api.based import signed_header
from tests.contracts.chain import encoded_call
from tests.e2e.browser import PATIENCE_S, Browser, Json
from tests.e2e.stage import Stage
from tests.waiting import eventually

MINT = "mintGeoplet((address,uint256,uint256,uint256),string,bytes)"
TRANSFER = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"
CANCEL = "cancelAuthorization(address,bytes32,bytes)"
PICTURE = "UklGRg=="
DOLLAR = 1_000_000
PRICES = {"mint": DOLLAR, "regenerate": 900_000}


class Payer(Browser):
    def __init__(
        self, stage: Stage, *, dollars: int = 5, account: LocalAccount | None = None
    ) -> None:
        self.account = account or Account.create()
        self.wallet = self.account.address.lower()
        self.fid = secrets.randbelow(10**12) + 1_000
        stage.give_dollars(self.wallet, dollars * DOLLAR)
        super().__init__(stage, f"p{self.fid}", fid=self.fid, wallets=[self.wallet])

    # Signing.

    def terms(self, kind: str) -> PaymentTerms:
        contracts = self.stage.chain.contracts
        token, pay_to = contracts["usdc"].lower(), contracts["pay_to"].lower()
        return PaymentTerms(chain_id=8453, token=token, pay_to=pay_to, amount=PRICES[kind])

    def sign(self, kind: str = "mint", *, version: int = 1, valid_for_s: int = 900) -> str:
        """A payment header, known to the canary."""
        end = self.stage.now() + valid_for_s
        header = signed_header(self.account, self.terms(kind), version=version, valid_before=end)
        self.stage.canary.header(header)
        return header

    # The paid routes.

    def ask_voucher(self, header: str = "") -> httpx.Response:
        body = {"fid": self.fid, "userAddress": self.wallet}
        return self.change("POST", "/api/get-mint-signature", body, **paid_by(header))

    def voucher(self, header: str = "") -> Json:
        answer = self.ask_voucher(header)
        assert answer.status_code == 200, answer.text
        return self.keep(answer.json())

    def keep(self, voucher: Json) -> Json:
        self.stage.canary.signature(voucher["signature"])
        self.stage.canary.header(voucher["paymentHeader"])
        return voucher

    def ask_settle(self, header: str, kind: str = "mint") -> httpx.Response:
        body = {"paymentHeader": header, "fid": self.fid, "paymentType": kind}
        return self.change("POST", "/api/settle-payment", body)

    def submit(self, header: str, kind: str = "mint") -> None:
        """Asks for the settlement and does not wait for the answer."""
        body = {"paymentHeader": header, "fid": self.fid, "paymentType": kind}
        with contextlib.suppress(httpx.ReadTimeout):
            self._client.post("/api/settle-payment", json=body, timeout=1)

    def settle(self, header: str, kind: str = "mint") -> str:
        """The transaction that settled it."""
        answer = self.ask_settle(header, kind)
        assert answer.status_code == 200 and answer.json()["settled"], answer.text
        return str(answer.json()["txHash"])

    def generate(self, header: str = "", prompt: str = "") -> httpx.Response:
        body = {"fid": self.fid, "userAddress": self.wallet, "prompt": prompt or self.prompt()}
        return self.change("POST", "/api/generate-image", body, **paid_by(header))

    def prompt(self) -> str:
        words = f"a planet for {secrets.token_hex(8)}"
        self.stage.canary.prompt(words)
        return words

    # Tracking.

    def tracking(self, kind: str = "mint") -> Json:
        return self.get(f"/api/payment-tracking/{self.fid}/{kind}")

    def status(self, kind: str = "mint") -> str | None:
        said = self.tracking(kind)["status"]
        return str(said) if said else None

    def until(self, status: str | None, kind: str = "mint", within_s: float = PATIENCE_S) -> Json:
        """The tracking once it says so; `seen` are the statuses on the way."""
        seen: list[str | None] = []

        def there() -> Json | None:
            now = self.tracking(kind)
            if now["status"] not in seen[-1:]:
                seen.append(now["status"])
            return {**now, "seen": seen} if now["status"] == status else None

        try:
            return eventually(there, within_s)
        except AssertionError as late:
            raise AssertionError(f"{late}: wanted {status}, saw {seen}, {self.names()}") from None

    def dismiss(self, kind: str = "mint") -> httpx.Response:
        return self.change("DELETE", f"/api/payment-tracking/{self.fid}/{kind}")

    def names(self) -> list[str]:
        """What happened to the orders of this fid."""
        return [fact.name for fact in self.stage.facts.of_fid(self.fid)]

    def cases(self) -> list[tuple[str, str]]:
        """(kind, amount) of what an operator is shown for this pass."""
        pages = self.stage.facts.rows(
            "SELECT kind, facts->>'amount' FROM views.recoveries"
            " WHERE pass_id = %s AND status = 'open' ORDER BY position",
            self.pass_id,
        )
        return [(kind, amount) for kind, amount in pages]

    def statement(self) -> dict[str, int]:
        """What I paid in USDC and what became of it, in atomic units; only what is not zero."""
        sums = self.get("/me/statement")["statement"]["assets"].get("USDC", {})
        return {name: int(amount) for name, amount in sums.items() if int(amount)}

    def check_charged(self, *kinds: str, by_us: bool = True) -> None:
        """What moved, by the chain and, unless somebody else handed it in, by the facilitator."""
        prices = [PRICES[kind] for kind in kinds]
        assert self.statement().get("paid", 0) == sum(prices), self.names()
        assert self.stage.facts.dollars(self.wallet) == prices, self.names()
        if by_us:
            # It looks for its receipts now and then, and may know later than the chain.
            eventually(lambda: len(self.stage.vendors.settled(self.wallet)) >= len(prices))
            assert self.stage.vendors.settled(self.wallet) == prices, self.names()

    # The wallet.

    def mint(self, voucher: Json) -> str:
        """Sends the mint; the hash, without waiting for a block."""
        said = voucher.get("voucher") or voucher["mintVoucher"]
        signature = voucher.get("signature") or voucher["mintSignature"]
        words = (said["to"], *(int(said[name]) for name in ("fid", "nonce", "deadline")))
        data = encoded_call(MINT, words, PICTURE, bytes.fromhex(signature[2:]))
        return self._send(self.stage.chain.contracts["geoplets"], data)

    def hand_in(self, header: str) -> str:
        """Somebody who came by the header brings it to the chain themselves."""
        payload = orjson.loads(base64.b64decode(header))["payload"]
        said, signature = payload["authorization"], bytes.fromhex(payload["signature"][2:])
        times = (int(said[name]) for name in ("value", "validAfter", "validBefore"))
        nonce = bytes.fromhex(said["nonce"][2:])
        data = encoded_call(TRANSFER, said["from"], said["to"], *times, nonce, signature)
        stranger = self.stage.chain.wallet()
        return self.stage.chain.send(stranger, self.stage.chain.contracts["usdc"], "0x" + data)

    def cancel(self, header: str) -> str:
        """Takes an authorization back on the chain."""
        nonce = orjson.loads(base64.b64decode(header))["payload"]["authorization"]["nonce"]
        said = {"authorizer": self.account.address, "nonce": nonce}
        domain = {"name": "USD Coin", "version": "2", "chainId": 8453}
        types = {
            "CancelAuthorization": [
                {"name": "authorizer", "type": "address"},
                {"name": "nonce", "type": "bytes32"},
            ]
        }
        usdc = self.stage.chain.contracts["usdc"]
        message = encode_typed_data(domain | {"verifyingContract": usdc}, types, said)
        signature = bytes(self.account.sign_message(message).signature)
        data = encoded_call(CANCEL, self.wallet, bytes.fromhex(nonce[2:]), signature)
        return self._send(usdc, data)

    def give_away(self, dollars: int) -> str:
        """Moves what is in the wallet elsewhere, and waits until it is gone; the transaction."""
        chain, amount = self.stage.chain, dollars * DOLLAR
        data = encoded_call("transfer(address,uint256)", chain.wallet(), amount)
        tx_hash = self._send(chain.contracts["usdc"], data)
        assert int(eventually(lambda: chain.receipt(tx_hash))["status"], 16) == 1
        return tx_hash

    def _send(self, to: str, data: str) -> str:
        return self.stage.chain.send(self.wallet, to, "0x" + data)

    # The SDK's own client.

    def buy(self, version: int, path: str, **body: Any) -> httpx.Response:
        """What the unmodified x402 client is answered once it has paid what it was asked for."""
        return self.stage.world.run(self._buy(version, path, body))

    async def _buy(self, version: int, path: str, body: Json) -> httpx.Response:
        from x402 import x402Client
        from x402.http.clients.httpx import x402AsyncTransport
        from x402.mechanisms.evm.exact import register_exact_evm_client

        client = register_exact_evm_client(x402Client(), self.account)
        inner = httpx.AsyncHTTPTransport() if version == 2 else Older()
        said = {"fid": self.fid, "userAddress": self.wallet, **body}
        options = {"base_url": self.stage.api, "headers": self._client.headers, "timeout": 60}
        async with httpx.AsyncClient(transport=x402AsyncTransport(client, inner), **options) as web:
            answer = await web.post(path, json=said)
        self._position = int(answer.headers.get("x-ledger-position", self._position))
        return answer


class Older(httpx.AsyncHTTPTransport):
    """What a client sees that knows version 1 alone: the terms in the body, not in a header."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        answer.headers.pop("payment-required", None)
        return answer


def paid_by(header: str) -> dict[str, str]:
    if not header:
        return {}
    version = orjson.loads(base64.b64decode(header))["x402Version"]
    return {"x-payment" if version == 1 else "payment-signature": header}
