"""The Geoplets gateway pointed at a test's chain, and payers who pay USDC there."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_utils import keccak

from consumers.gateways.eip712 import authorization_digest, signed
from consumers.gateways.evm_geoplets import GeopletRpc
from consumers.gateways.vouchers import Vouchers
from domain.x402 import Authorization, PaymentTerms, Voucher
from embedded.parts.anvil import CHAIN_ID
from tests.contracts.chain import Chain, encoded_call
from tests.gateways.x402_side import dev_key

PRICE = 1_000_000
MINT = "mintGeoplet((address,uint256,uint256,uint256),string,bytes)"
MOVE = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"
CANCEL = "cancelAuthorization(address,bytes32,bytes)"

_nonces = itertools.count(1)
fids = itertools.count(70_000)


@asynccontextmanager
async def geoplet_rpc(chain: Chain, *urls: str, **options: Any) -> AsyncIterator[GeopletRpc]:
    settings = {
        "chain_id": CHAIN_ID,
        "token": chain.contracts["usdc"],
        "geoplets": chain.contracts["geoplets"],
        "pay_to": chain.contracts["pay_to"],
        "timeout_s": 2.0,
    }
    rpc = GeopletRpc(urls or (chain.url,), **(settings | options))
    try:
        yield rpc
    finally:
        await rpc.aclose()


@dataclass(frozen=True)
class Payer:
    """The development wallet `number`, and what it signs on a chain."""

    chain: Chain
    number: int

    @property
    def address(self) -> str:
        return self.chain.wallets[self.number]

    def authorization(self, *, pay_to: str = "", value: int = PRICE) -> Authorization:
        return Authorization(
            payer=self.address,
            pay_to=(pay_to or self.chain.contracts["pay_to"]).lower(),
            value=value,
            valid_after=0,
            valid_before=2**40,
            nonce="0x" + keccak(text=f"nonce {next(_nonces)}").hex(),
        )

    def transfer(self, said: Authorization) -> str:
        """Calldata that anybody may send to USDC."""
        usdc = self.chain.contracts["usdc"].lower()
        terms = PaymentTerms(CHAIN_ID, usdc, said.pay_to, said.value)
        signature = signed(authorization_digest(said, terms), dev_key(self.number))
        words = (said.payer, said.pay_to, said.value, said.valid_after, said.valid_before)
        return "0x" + encoded_call(MOVE, *words, _bytes(said.nonce), _bytes(signature))

    def cancellation(self, said: Authorization) -> str:
        domain = {
            "name": "USD Coin",
            "version": "2",
            "chainId": CHAIN_ID,
            "verifyingContract": self.chain.contracts["usdc"],
        }
        types = {
            "CancelAuthorization": [
                {"name": "authorizer", "type": "address"},
                {"name": "nonce", "type": "bytes32"},
            ]
        }
        message = {"authorizer": said.payer, "nonce": _bytes(said.nonce)}
        key = dev_key(self.number).to_bytes()
        signature = bytes(Account.sign_typed_data(key, domain, types, message).signature)
        return "0x" + encoded_call(CANCEL, said.payer, _bytes(said.nonce), signature)

    def pays(self, said: Authorization, *, sender: str = "") -> str:
        """The hash of the transaction that moved the money."""
        usdc = self.chain.contracts["usdc"]
        return self.chain.send(sender or self.address, usdc, self.transfer(said))

    def mints(self, fid: int) -> str:
        """The hash of the transaction that minted with a voucher of ours."""
        contract = self.chain.contracts["geoplets"]
        vouchers = Vouchers(
            private_key=self.chain.contracts["voucher_signer_key"],
            chain_id=CHAIN_ID,
            contract=contract,
        )
        block = self.chain.call("eth_getBlockByNumber", "latest", False)
        said = Voucher(self.address, fid, next(_nonces), int(block["timestamp"], 16) + 900)
        words = (said.to, said.fid, said.nonce, said.deadline)
        data = encoded_call(MINT, words, "UklGRg==", _bytes(vouchers.sign(said)))
        return self.chain.send(self.address, contract, "0x" + data)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
