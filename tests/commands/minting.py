"""A pass with a Solana wallet and what it does with batches, over commands alone."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from commands.allowances import SetAllowances
from commands.batch_mints import (
    FailMint,
    FileIsStored,
    RecordToken,
    RequestMint,
    SealFile,
    SignMint,
)
from commands.batches import CancelBatch, Landed, PaymentFailed, PaymentLapsed, SubmitPayment
from commands.passes import OpenPass
from commands.prepare_batch import OpenPayment, PrepareBatch
from domain.batch import Batch
from domain.credit_account import CreditAccount, account_stream
from domain.solana import BLOCKHASH_LASTS, Absence, Prepared, TokenFound
from tests.commands.memory import Memory

PRICE = 50_000_000
WALLET = "EEU1j3CNZqQoBWGVKPBN2DZ8XaVQtZCtEKQF4QdF8mfg"
OWNER = "pass:user:ada"


def payment(wallet: str, lamports: int, reference: str) -> Prepared:
    return Prepared("bQ==", "cg==", f"sig-{reference}", "hash", 150)


class Minting:
    def __init__(self, allowed: int = 10) -> None:
        self.memory = Memory()
        self._ids = count(1)
        self.memory.do(OpenPass(new_pass_id=OWNER, identities=(f"solana:{WALLET}",)))
        if allowed:
            self.memory.do(SetAllowances(items=((WALLET, allowed),)))

    def prepare(self, quantity: int, owner: str = OWNER, wallet: str = "") -> dict[str, Any]:
        id_ = f"b{next(self._ids)}"
        asked = PrepareBatch(
            owner=owner,
            wallet=wallet,
            batch_id=id_,
            quantity=quantity,
            price=PRICE,
            treasury="treasury",
            entropy=sha256(id_.encode()).hexdigest(),
            expires_at=self.memory.now + BLOCKHASH_LASTS,
            pay=payment,
        )
        try:
            return self.memory.do(asked)
        except OpenPayment as open_:  # the chain does not know it yet
            return self.memory.do(asked.model_copy(update={"unseen": open_.signature}))

    def batch(self, id_: str) -> Batch:
        state: Batch = self.memory.state(f"batch:{id_}")
        return state

    @property
    def credits(self) -> int:
        account: CreditAccount = self.memory.state(account_stream(OWNER))
        return account.balance("PFP")

    def submit(self, id_: str) -> None:
        self.memory.do(SubmitPayment(batch_id=id_, raw="c2lnbmVk"))

    def land(self, id_: str) -> None:
        window = self.batch(id_).window
        assert window is not None
        self.memory.do(Landed(batch_id=id_, signature=window.signature, slot=7))

    def pay(self, id_: str) -> None:
        self.submit(id_)
        self.land(id_)

    def lapse(self, id_: str) -> None:
        window = self.batch(id_).window
        proof = Absence(window.signature if window else "", height=151, slot=160)
        self.memory.do(PaymentLapsed(batch_id=id_, proof=proof))

    def fail_payment(self, id_: str) -> None:
        self.memory.do(PaymentFailed(batch_id=id_, reason="broke", slot=9))

    def cancel(self, id_: str) -> None:
        self.memory.do(CancelBatch(batch_id=id_))

    def ask(self, id_: str) -> int:
        """Opens the next unit; its index, 0 when there is none."""
        before = {unit.index for unit in self.batch(id_).in_work}
        self.memory.do(RequestMint(batch_id=id_))
        return next((u.index for u in self.batch(id_).in_work if u.index not in before), 0)

    def go_on(self, id_: str) -> None:
        """The background opens the next unit, if it may."""
        self.memory.do(RequestMint(batch_id=id_, background=True))

    def store(self, id_: str, index: int) -> None:
        for part in ("image", "metadata"):
            ids = {"batch_id": id_, "index": index, "part": part}
            where = {
                "item_id": f"{id_}/{index}/{part}",
                "uri": f"https://vault/{id_}/{index}/{part}",
            }
            self.memory.do(SealFile(**ids, vault="irys", **where, sha256="00", bytes=1))
            self.memory.do(FileIsStored(**ids))

    def sign(self, id_: str, index: int) -> str:
        number = self.batch(id_).unit(index).signed + 1
        signature = f"mint-{id_}-{index}-{number}"
        prepared = Prepared("bQ==", "cg==", signature, "hash", 150)
        ids = {"batch_id": id_, "index": index, "number": number}
        self.memory.do(SignMint(**ids, minter="bubblegum", tree="tree", prepared=prepared))
        return signature

    def mint(self, id_: str, index: int) -> None:
        alive = self.batch(id_).unit(index).alive
        assert alive is not None
        token = TokenFound(f"asset-{id_}-{index}", "tree", index, 8)
        self.memory.do(
            RecordToken(batch_id=id_, index=index, signature=alive.signature, token=token)
        )

    def make(self, id_: str) -> int:
        """One token, from the wish to the chain."""
        index = self.ask(id_)
        self.store(id_, index)
        self.sign(id_, index)
        self.mint(id_, index)
        return index

    def fail(self, id_: str, index: int, error_class: str = "transient") -> None:
        cap = timedelta(seconds=30)
        ids = {"batch_id": id_, "index": index}
        self.memory.do(FailMint(**ids, error_class=error_class, reason="no", cap=cap))
