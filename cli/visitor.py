"""A visitor of the Geoplets: a fid, a fresh wallet with some dollars, and the x402 SDK's client."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import httpx
import stamina
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils import keccak, to_checksum_address
from x402 import x402Client
from x402.http.clients.httpx import x402HttpxClient
from x402.http.utils import encode_payment_signature_header
from x402.mechanisms.evm.exact import register_exact_evm_client
from x402.schemas.v1 import PaymentRequiredV1

ETHER, DOLLAR, GAS, GWEI = 10**18, 10**6, 1_200_000, 10**9
MINT = keccak(text="mintGeoplet((address,uint256,uint256,uint256),string,bytes)")[:4]
TRANSFER = keccak(text="transfer(address,uint256)")[:4]
PATIENCE_S = 200.0


class NotMined(Exception):
    """No block has the transaction yet."""


class Visitor:
    """Speaks to the API as a page would; pays with the SDK as it comes from the package index.

    `shown` is the status of the tracking that was last told.
    """

    def __init__(self, world: dict[str, Any]) -> None:
        self.world = world
        self.fid = 10**6 + secrets.randbelow(10**9)
        self.wallet = Account.create()
        self._bank = Account.from_key(world["wallets"][0]["private_key"])
        self._headers: dict[str, str] = {}
        self.shown: str | None = ""

    @property
    def mine(self) -> dict[str, Any]:
        return {"fid": self.fid, "userAddress": self.wallet.address}

    async def arrive(self, dollars: int = 3) -> None:
        """Gets the money from a wallet of the world, signs in with Farcaster, links the wallet."""
        funds = encode(["address", "uint256"], [self.wallet.address, dollars * DOLLAR])
        await self.node("anvil_setBalance", self.wallet.address, hex(ETHER))
        usdc = self.world["evm"]["contracts"]["usdc"]
        await self._mined(await self.send(usdc, TRANSFER + funds, self._bank))
        twin = self.world["twins"]["farcaster"]
        claims = {"claims": {"sub": self.fid}}
        async with httpx.AsyncClient(base_url=twin) as farcaster:
            told = (await farcaster.post("/_twin/token", json=claims)).json()
        await self.signed_in("/auth/farcaster", {"token": told["token"]})
        await self.signed_in("/auth/link", {"siwe": await self._siwe()})

    async def signed_in(self, path: str, proof: dict[str, Any]) -> None:
        answer = (await self.post(path, proof)).json()
        self._headers = {"Authorization": f"Bearer {answer['access_token']}"}

    async def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        """One request, without any payment but that in `headers`."""
        async with self._http() as http:
            return await http.post(path, json=body, headers=headers)

    async def pay(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """x402 version 2: the SDK's client pays by itself when it is asked to."""
        paying = x402HttpxClient(
            self._client(), base_url=self.world["api"], headers=self._headers, timeout=PATIENCE_S
        )
        async with paying as http:
            return await http.post(path, json=body)

    async def pay_v1(
        self, path: str, body: dict[str, Any], *, lasts_s: int | None = None
    ) -> httpx.Response:
        """x402 version 1: the SDK's client pays the terms in the body; `lasts_s`: signs for less
        time than it is asked to."""
        asked = await self.post(path, body)
        terms = PaymentRequiredV1.model_validate(asked.json())
        if lasts_s is not None:
            terms.accepts[0].max_timeout_seconds = lasts_s
        payment = await self._client().create_payment_payload(terms)
        header = encode_payment_signature_header(payment)
        return await self.post(path, body, **{"X-PAYMENT": header})

    async def tracking(self, payment_type: str = "mint") -> dict[str, Any]:
        async with self._http() as http:
            told = await http.get(f"/api/payment-tracking/{self.fid}/{payment_type}")
        return dict(told.json())

    async def settle(self, header: str, payment_type: str = "mint") -> httpx.Response:
        body = {"paymentHeader": header, "fid": self.fid, "paymentType": payment_type}
        return await self.post("/api/settle-payment", body)

    async def mint(self, voucher: dict[str, str], signature: str, image: str) -> str:
        """Sends the mint from the wallet; answers the hash."""
        return await self.send(
            self.world["evm"]["contracts"]["geoplets"], self.minting(voucher, signature, image)
        )

    def minting(self, voucher: dict[str, str], signature: str, image: str) -> bytes:
        numbers = (int(voucher[name]) for name in ("fid", "nonce", "deadline"))
        signed = bytes.fromhex(signature.removeprefix("0x"))
        types = ["(address,uint256,uint256,uint256)", "string", "bytes"]
        return MINT + encode(types, [(voucher["to"], *numbers), image, signed])

    async def simulate(self, data: bytes) -> str:
        """What the wallet's simulation says of a mint; empty when it would do."""
        call = {
            "from": self.wallet.address,
            "to": self.world["evm"]["contracts"]["geoplets"],
            "data": "0x" + data.hex(),
        }
        return (await self._rpc("eth_call", call, "latest")).get("error", {}).get("message", "")

    async def payments(self) -> int:
        """How often money moved from this wallet, by the facilitator's own ledger."""
        twin = self.world["twins"]["x402_facilitator"]
        async with httpx.AsyncClient(base_url=twin) as facilitator:
            items = (await facilitator.get("/_twin/ledger")).json()["items"]
        wallet = self.wallet.address.lower()
        return sum(str(item.get("payer", "")).lower() == wallet for item in items)

    async def send(self, to: str, data: bytes, sender: Any = None) -> str:
        sender = sender or self.wallet
        count = await self.node("eth_getTransactionCount", sender.address, "pending")
        signed = sender.sign_transaction(
            {
                "to": to_checksum_address(to),
                "data": data,
                "value": 0,
                "nonce": int(count, 16),
                "gas": GAS,
                "maxFeePerGas": 3 * GWEI,
                "maxPriorityFeePerGas": GWEI,
                "chainId": self.world["evm"]["chain_id"],
            }
        )
        raw = "0x" + bytes(signed.raw_transaction).hex()
        return str(await self.node("eth_sendRawTransaction", raw))

    async def node(self, method: str, *parameters: object) -> Any:
        answer = await self._rpc(method, *parameters)
        if "error" in answer:
            raise SystemExit(f"The chain refused {method}: {answer['error']['message']}")
        return answer["result"]

    async def _mined(self, tx_hash: str) -> None:
        stamina.instrumentation.set_on_retry_hooks(())  # waiting for a block is no news
        attempts = stamina.retry_context(on=NotMined, timeout=30, wait_initial=0.1, wait_max=0.3)
        async for attempt in attempts:
            with attempt:
                if await self.node("eth_getTransactionReceipt", tx_hash) is None:
                    raise NotMined(tx_hash)

    async def _rpc(self, method: str, *parameters: object) -> dict[str, Any]:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        async with httpx.AsyncClient(timeout=15) as http:
            return dict((await http.post(self.world["evm"]["rpc"], json=call)).json())

    async def _siwe(self) -> dict[str, str]:
        nonce = (await self.post("/auth/nonce", {})).json()["nonce"]
        host = self.world["public_host"]
        text = (
            f"{host} wants you to sign in with your Ethereum account:\n{self.wallet.address}\n\n"
            f"Link this wallet.\n\nURI: http://{host}/\nVersion: 1\n"
            f"Chain ID: {self.world['evm']['chain_id']}\nNonce: {nonce}\n"
            f"Issued At: {datetime.now(UTC).isoformat(timespec='seconds').replace('+00:00', 'Z')}"
        )
        signature = bytes(self.wallet.sign_message(encode_defunct(text=text)).signature).hex()
        return {"message": text, "signature": f"0x{signature}"}

    def _client(self) -> x402Client:
        return register_exact_evm_client(x402Client(), self.wallet)

    def _http(self) -> httpx.AsyncClient:
        api = self.world["api"]
        return httpx.AsyncClient(base_url=api, headers=self._headers, timeout=PATIENCE_S)
