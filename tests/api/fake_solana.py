"""Solana as the routes see it, by hand: what the chain knows is said here.

Transactions are real ones, made and checked by the product's own gateways.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

import httpx
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

from api.pfp_problems import SolanaSilent
from api.solana import Patience, Solana
from consumers.gateways.solana_minters import BubblegumMinter
from consumers.gateways.solana_payments import HandedIn, Payments
from consumers.gateways.solana_ports import MintWanted
from consumers.gateways.solana_rpc import SolanaRpc
from domain.solana import Blockhash, Prepared

PRICE = 50_000_000
AUTHORITY = Keypair.from_seed(bytes([1]) * 32)
TREASURY = str(Keypair.from_seed(bytes([2]) * 32).pubkey())
TREE = str(Keypair.from_seed(bytes([4]) * 32).pubkey())
LASTS = 150
HURRIED = Patience(handed_in_s=0.05, paid_s=0.05, made_s=0.05, look_s=0.01)
PATIENT = Patience(handed_in_s=15.0, paid_s=15.0, made_s=15.0, look_s=0.01)


@dataclass
class FakeSolana:
    """`known`: the signatures that the chain has; `failing`: why whatever is simulated would fail;
    `silent`: no node answers."""

    now: int = 1_000
    known: set[str] = field(default_factory=set)
    failing: str = ""
    silent: bool = False
    simulated: list[str] = field(default_factory=list)
    patience: Patience = HURRIED

    @property
    def solana(self) -> Solana:
        return Solana(
            price=PRICE,
            treasury=TREASURY,
            authority=str(AUTHORITY.pubkey()),
            blockhash=self.blockhash,
            pay=self.pay,
            complete=HandedIn().complete,
            failure=self.failure,
            seen=self.seen,
            height=self.height,
            prepare_mint=self.prepare_mint,
            minter="bubblegum",
            patience=self.patience,
        )

    def reset(self) -> None:
        self.failing, self.silent = "", False
        self.simulated.clear()

    async def blockhash(self) -> Blockhash:
        self._speak()
        return Blockhash(str(Hash(self.now.to_bytes(32))), self.now + LASTS)

    def pay(self, wallet: str, lamports: int, reference: str, blockhash: Blockhash) -> Prepared:
        payments = Payments(authority=AUTHORITY, treasury=TREASURY)
        return payments.prepare(wallet, lamports, blockhash, reference=reference)

    async def failure(self, raw: str) -> str:
        self._speak()
        self.simulated.append(raw)
        return self.failing

    async def seen(self, signature: str) -> bool:
        self._speak()
        return signature in self.known

    async def height(self) -> int:
        self._speak()
        return self.now

    def prepare_mint(
        self, *, tree: str, lamports: int, blockhash: Blockhash, **wanted: str
    ) -> Prepared:
        unasked = SolanaRpc(["http://127.0.0.1:9"], treasury=TREASURY, client=httpx.AsyncClient())
        minter = BubblegumMinter(chain=unasked, authority=AUTHORITY, treasury=TREASURY)
        return minter.prepare_paid_mint(MintWanted(**wanted), tree, lamports, blockhash)

    def _speak(self) -> None:
        if self.silent:
            raise SolanaSilent()


def signed(transaction: str, wallet: Keypair) -> str:
    """A prepared transaction with the signature of a wallet, as it would hand it in."""
    given = VersionedTransaction.from_bytes(base64.b64decode(transaction))
    place = given.message.account_keys.index(wallet.pubkey())
    signatures = list(given.signatures)
    signatures[place] = wallet.sign_message(to_bytes_versioned(given.message))
    whole = VersionedTransaction.populate(given.message, signatures)
    return base64.b64encode(bytes(whole)).decode()
