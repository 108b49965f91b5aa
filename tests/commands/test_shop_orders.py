"""What is bought in the shop becomes matcha of the right pass, and goes back when money does."""

from __future__ import annotations

from typing import Any

import pytest

from commands.config import SetConfig
from commands.passes import Identify, OpenPass
from commands.shop_orders import (
    NoteTag,
    PassUnknown,
    ReportShopOrder,
    ReportShopRefund,
    ResolveShopCase,
    RetryShopCase,
    SettleShopOrder,
)
from domain.claim import Claim
from domain.matcha import MatchaAccount, matcha_stream
from domain.matcha_events import MatchaClawedBack, MatchaGranted
from domain.passes import IDENTITIES_MAX, Pass, identity_claim
from domain.shop_order import ShopOrder
from domain.shop_order_events import ShopOrderCredited, shop_order_stream
from domain.shop_told import OrderTold
from tests.commands.memory import Memory
from tests.domain.shop_orders import CUSTOMER, ORDER, PASS, SHOP, line, refund, told

IDS: Any = {"shop": SHOP, "order_id": ORDER}
OPERATOR = "pass:user:operator"


class Shop(Memory):
    """`tell` also settles, as the worker does."""

    def tell(self, order: OrderTold, order_id: str = ORDER) -> None:
        ids: Any = {"shop": SHOP, "order_id": order_id}
        self.do(ReportShopOrder(**ids, told=order, source="webhook"))
        self.settle(order_id)

    def refund(self, refund_id: str, *lines: Any) -> None:
        about = refund(refund_id, *lines)
        self.do(ReportShopRefund(**IDS, told=about, source="webhook"))
        self.settle()

    def settle(self, order_id: str = ORDER) -> None:
        command = SettleShopOrder(shop=SHOP, order_id=order_id)
        self.do(command)
        assert command.decide(self.look(command), self.now) == [], "settled twice"

    def order(self) -> ShopOrder:
        found: ShopOrder = self.state(shop_order_stream(SHOP, ORDER))
        return found

    def matcha(self, pass_id: str) -> MatchaAccount:
        found: MatchaAccount = self.state(matcha_stream(pass_id))
        return found

    def holder(self, identity: str) -> str:
        claim: Claim = self.state(identity_claim(identity))
        return claim.holder


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_the_first_order_of_a_customer_opens_a_pass_with_the_matcha(shop: Shop) -> None:
    shop.tell(told())
    assert shop.matcha(PASS).balance == 200
    assert shop.holder(f"shopify:{CUSTOMER}") == PASS
    opened: Pass = shop.state(PASS)
    assert opened.identities == (f"shopify:{CUSTOMER}",)
    shop.tell(told(), "2")
    assert shop.matcha(PASS).balance == 400


def test_one_append_has_the_credit_the_lot_and_what_was_refunded_before(shop: Shop) -> None:
    shop.refund("r1", line(quantity=1))
    before = len(shop.history)
    shop.tell(told())
    kinds = [type(event) for event in shop.history[before + 1 :]]
    assert {ShopOrderCredited, MatchaGranted, MatchaClawedBack} <= set(kinds)
    assert shop.matcha(PASS).balance == 150


def test_the_pass_that_the_cart_names_has_the_matcha_and_the_customer(shop: Shop) -> None:
    shop.do(OpenPass(new_pass_id="pass:anon:ada"))
    shop.tell(told(named_pass="pass:anon:ada"))
    assert shop.matcha("pass:anon:ada").balance == 200
    assert shop.holder(f"shopify:{CUSTOMER}") == "pass:anon:ada"
    shop.tell(told(), "2")
    assert shop.matcha("pass:anon:ada").balance == 400


def test_a_cart_that_names_no_pass_of_ours_decides_nothing(shop: Shop) -> None:
    shop.tell(told(named_pass="pass:anon:nobody"))
    assert shop.matcha(PASS).balance == 200


def test_a_cart_never_merges_two_passes(shop: Shop) -> None:
    shop.do(OpenPass(new_pass_id="pass:anon:ada"))
    shop.tell(told(), "1")
    shop.tell(told(named_pass="pass:anon:ada"))
    assert (shop.matcha(PASS).balance, shop.matcha("pass:anon:ada").balance) == (200, 200)
    assert shop.holder(f"shopify:{CUSTOMER}") == PASS
    named: Pass = shop.state("pass:anon:ada")
    assert named.identities == ()


def test_gifts_leave_room_for_what_the_owner_of_a_pass_proves(shop: Shop) -> None:
    """Whoever knows a pass's id may put it into a cart; what was paid is credited all the same."""
    shop.do(OpenPass(new_pass_id=OPERATOR))
    for n in range(1, IDENTITIES_MAX + 2):
        shop.tell(told(customer_id=str(n), named_pass=OPERATOR), order_id=str(n))
    assert shop.matcha(OPERATOR).balance == 200 * (IDENTITIES_MAX + 1)
    assert [shop.holder(f"shopify:{n}") for n in (10, 11)] == [OPERATOR, ""]
    shop.do(Identify(identity="email:ann", new_pass_id="pass:user:x", current=OPERATOR))
    assert shop.holder("email:ann") == OPERATOR


def test_a_pass_that_was_merged_is_followed(shop: Shop) -> None:
    shop.do(OpenPass(new_pass_id="pass:user:old"))
    shop.later(1)
    shop.do(OpenPass(new_pass_id="pass:user:young", identities=("email:1",)))
    shop.do(Identify(identity="email:1", new_pass_id="pass:user:x", current="pass:user:old"))
    shop.tell(told(named_pass="pass:user:young"))
    assert shop.matcha("pass:user:old").balance == 200


def test_a_refund_after_a_merge_finds_the_lot(shop: Shop) -> None:
    shop.do(OpenPass(new_pass_id="pass:user:old"))
    shop.later(1)
    shop.do(OpenPass(new_pass_id="pass:user:young", identities=("email:1",)))
    shop.tell(told(named_pass="pass:user:young"))
    shop.do(Identify(identity="email:1", new_pass_id="pass:user:x", current="pass:user:old"))
    shop.refund("r1", line(quantity=3))
    assert shop.matcha("pass:user:old").balance == 50


def test_what_was_spent_before_the_refund_is_owed(shop: Shop) -> None:
    shop.tell(told(line("1", "MINA-50", 1)))
    account = shop.matcha(PASS)
    for event in account.hold(PASS, "g1", 30, shop.now.replace(year=2031), shop.now):
        shop.streams[event.stream].append(event)
    for event in shop.matcha(PASS).capture(PASS, "g1", shop.now):
        shop.streams[event.stream].append(event)
    shop.tell(told(line("1", "MINA-50", 1), cancelled=True))
    assert (shop.matcha(PASS).balance, shop.matcha(PASS).owed) == (0, 30)
    assert shop.order().status == "taken_back"


def test_an_order_of_nobody_is_given_to_a_pass_by_an_operator(shop: Shop) -> None:
    shop.tell(told(customer_id=""))
    assert shop.order().status == "unclaimed"
    given = {"kind": "no_pass", "reason": "wrote to us", "by": OPERATOR}
    with pytest.raises(PassUnknown):
        shop.do(ResolveShopCase(**IDS, **given, given_to="pass:user:nobody"))
    shop.do(OpenPass(new_pass_id="pass:user:ada"))
    shop.do(ResolveShopCase(**IDS, **given, given_to="pass:user:ada"))
    shop.settle()
    assert shop.matcha("pass:user:ada").balance == 200


def test_packs_are_those_of_the_config_and_the_credit_names_its_version(shop: Shop) -> None:
    shop.tell(told(line("1", "MINA-7", 2)))
    assert shop.order().turned_down == "no_packs"
    shop.do(SetConfig(key="mma.packs", value={"MINA-7": 9}, by=OPERATOR))
    shop.do(RetryShopCase(**IDS, kind="unknown_sku", by=OPERATOR))
    shop.settle()
    credit = shop.order().credit
    assert credit is not None
    assert (credit.amount, credit.config_version) == (18, 1)
    assert credit.config_id == "app_config:mma.packs:1"
    shop.do(SetConfig(key="mma.packs", value={"MINA-7": 1}, by=OPERATOR))
    shop.refund("r1", line("1", "MINA-7", 1))
    assert shop.matcha(PASS).balance == 9


def test_a_tag_is_noted_for_the_pass_that_was_credited(shop: Shop) -> None:
    shop.tell(told())
    note = NoteTag(**IDS)
    assert note.pass_id(shop.look(note)) == PASS
    shop.do(note)
    assert not shop.order().tag_due
