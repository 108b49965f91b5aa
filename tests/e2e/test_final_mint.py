"""The server's own mint, lost, overtaken or taken back: one token in the end, always the same."""

from __future__ import annotations

from tests.e2e.buyer import Buyer, Json
from tests.e2e.facts import Fact
from tests.e2e.fork import Fork, copies, send_again, use_nonce
from tests.waiting import eventually

ROLE, PRICE = "sovereign", 25_000_000


def paid(buyer: Buyer, fork: Fork) -> tuple[Json, Json]:
    """Paid deep enough; from here the server makes the image and mints."""
    card, order = buyer.buys(ROLE)
    buyer.claim(order, buyer.pay(order))
    fork.confirm()
    buyer.until(card, mint_order_status="confirmed")
    return card, order


def signed(buyer: Buyer, card: Json, number: int = 1) -> Fact:
    """The server's mint, once it waits in the node's pool."""

    def found() -> Fact | None:
        events = buyer.stage.facts.events(card["id"])
        mints = [fact for fact in events if fact.name == "final_mint_signed"]
        return mints[number - 1] if len(mints) >= number else None

    mint = eventually(found)
    eventually(lambda: buyer.stage.chain.call("eth_getTransactionByHash", mint.data["tx_hash"]))
    return mint


def check_minted(buyer: Buyer, card: Json, mint: Fact) -> Json:
    done = buyer.gets(card)
    events = buyer.stage.facts.events(card["id"])
    minted = [fact.data["tx_hash"] for fact in events if fact.name == "token_minted"]
    assert minted[-1] == mint.data["tx_hash"]
    return done


def test_a_mint_that_the_node_forgot_is_sent_again_as_it_was(buyer: Buyer, fork: Fork) -> None:
    card, _ = paid(buyer, fork)
    mint = signed(buyer, card)
    shown = buyer.card(card)
    assert shown["mint_order_status"] == "confirmed" and shown["on_chain_token_id"] is None
    assert buyer.statement() == {"paid": PRICE, "in_flight": PRICE}
    buyer.stage.chain.call("anvil_dropTransaction", mint.data["tx_hash"])
    fork.go_on()
    check_minted(buyer, card, mint)
    assert buyer.stage.facts.count(card["id"], "final_mint_signed") == 1


def test_a_mint_whose_nonce_was_taken_is_signed_anew(buyer: Buyer, fork: Fork) -> None:
    card, _ = paid(buyer, fork)
    lost = signed(buyer, card)
    use_nonce(buyer.stage.chain, lost.data["sender"], lost.data["nonce"])
    fork.confirm()
    again = signed(buyer, card, number=2)
    assert again.data["nonce"] > lost.data["nonce"]
    fork.go_on()
    check_minted(buyer, card, again)


def test_a_mint_taken_back_before_it_counted_comes_again(buyer: Buyer, fork: Fork) -> None:
    card, _ = paid(buyer, fork)
    mint = signed(buyer, card)
    below = Fork(buyer.stage)
    below.mine()
    assert buyer.stage.facts.token_ids(card_order(buyer, card))
    below.take_back()
    assert not buyer.stage.facts.token_ids(card_order(buyer, card))
    fork.go_on()
    check_minted(buyer, card, mint)


def test_a_mint_taken_back_after_it_counted_comes_again(buyer: Buyer, fork: Fork) -> None:
    card, _ = paid(buyer, fork)
    mint = signed(buyer, card)
    below = Fork(buyer.stage)
    below.confirm()
    buyer.until_done(card)
    below.take_back()
    shown = buyer.until(card, on_chain_token_id=None)
    assert shown["mint_order_status"] == "confirmed" and not shown["will_charge"]
    assert buyer.statement() == {"paid": PRICE, "in_flight": PRICE}
    fork.go_on()
    check_minted(buyer, card, mint)
    eventually(lambda: buyer.stage.facts.count(card["id"], "token_finalized"))
    assert buyer.stage.facts.count(card["id"], "final_mint_signed") == 1


def test_a_mint_waits_while_its_payment_is_taken_back(buyer: Buyer, fork: Fork) -> None:
    chain = buyer.stage.chain
    card, order = buyer.buys(ROLE)
    again = copies(chain, buyer.approve(order), buyer.mint(order))
    fork.confirm()
    mint = signed(buyer, card)
    fork.take_back()
    buyer.until(card, mint_order_status="verifying", mint_paid=False)
    chain.call("anvil_dropTransaction", mint.data["tx_hash"])
    fork.confirm()
    assert buyer.stage.facts.token_ids(order["order_id"]) == []
    send_again(chain, *again)
    fork.go_on()
    check_minted(buyer, card, mint)


def card_order(buyer: Buyer, card: Json) -> str:
    return str(buyer.card(card)["mint_order_id"])
