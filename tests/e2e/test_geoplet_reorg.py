"""Blocks that are taken back with a settlement or a mint in them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.e2e.fork import Fork
from tests.e2e.payer import Payer
from tests.waiting import eventually

IN_POOL = "txpool_status"


class Settled:
    """A settlement in a block that can be taken back."""

    def __init__(self, payer: Payer) -> None:
        self.payer, self.chain = payer, payer.stage.chain
        self.voucher = payer.voucher(payer.sign())
        self.fork = Fork(payer.stage)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(payer.settle, self.voucher["paymentHeader"])
            eventually(lambda: int(self.chain.call(IN_POOL)["pending"], 16))
            self.fork.mine()
            self.tx_hash = asked.result()
        self.raw = self.chain.call("eth_getRawTransactionByHash", self.tx_hash)
        payer.until("settled")

    def take_back(self) -> None:
        self.fork.take_back()
        shown = self.payer.until("settling")
        assert shown["settlementTxHash"] is None and shown["recovery"]["action"] == "wait"
        assert self.payer.statement() == {}
        assert self.payer.ask_voucher().json()["code"] == "PAYMENT_IN_FLIGHT"

    def mints(self) -> None:
        self.fork.go_on()
        self.payer.mint(self.voucher)
        self.payer.until("minted")
        events = self.payer.names()
        assert events.count("x402_payment_retracted") == 1, events
        self.payer.check_charged("mint", by_us=False)


def test_a_settlement_that_is_taken_back_and_returns_is_settled_again(payer: Payer) -> None:
    story = Settled(payer)
    story.take_back()
    story.chain.call("eth_sendRawTransaction", story.raw)
    story.fork.mine()
    assert payer.until("settled")["settlementTxHash"] == story.tx_hash
    story.mints()


def test_a_settlement_that_is_taken_back_is_handed_in_again(payer: Payer) -> None:
    story = Settled(payer)
    payer.stage.vendors["onchainfi"].post("behaviour", {"repeat": "error"}).raise_for_status()
    story.take_back()
    eventually(lambda: int(story.chain.call(IN_POOL)["pending"], 16))
    story.fork.mine()
    payer.until("settled")
    story.mints()


def test_a_mint_that_is_taken_back_can_be_minted_again(payer: Payer) -> None:
    voucher = payer.voucher(payer.sign())
    payer.settle(voucher["paymentHeader"])
    payer.until("settled")
    fork = Fork(payer.stage)
    payer.mint(voucher)
    fork.mine()
    payer.until("minting")
    fork.confirm()
    payer.until("minted")
    fork.take_back()
    shown = payer.until("settled")
    assert shown["canResume"] and shown["recovery"]["action"] == "mint"
    payer.mint(shown)
    fork.go_on()
    payer.until("minted")
    payer.check_charged("mint")
