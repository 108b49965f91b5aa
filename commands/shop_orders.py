"""What can be asked of a Shopify order: to take in what Shopify says, to settle what follows from
it, to note its customer's tag; and what operators decide about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import reduce

from commands.command import Answer, Command, Seen
from commands.matcha import WithMatcha
from commands.passes import current_pass, followed, matcha_of, opened_with, survivors
from domain.claim import Claim
from domain.config import Config, config_stream
from domain.event import Event, Refused
from domain.matcha import NewLot
from domain.passes import IDENTITIES_MAX, identity_claim
from domain.shop_order import ShopOrder
from domain.shop_order_events import (
    ShopOrderCredited,
    ShopOrderTakenBack,
    ShopRefundTakenBack,
    Source,
    shop_order_stream,
)
from domain.shop_told import OrderTold, Packs, RefundTold
from domain.studio_config import PACKS_KEY, packs_of

CUSTOMERS_MAX = 10
"""Of one pass. Carts give them, anybody's, and must leave room for what its owner proves."""


class PassUnknown(Refused):
    """There is no such pass."""


class WithShopOrder(Command):
    """`shop` is its domain, `order_id` Shopify's number."""

    shop: str
    order_id: str

    @property
    def stream(self) -> str:
        return shop_order_stream(self.shop, self.order_id)

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream

    def order(self, seen: Seen) -> ShopOrder:
        return seen.get(ShopOrder, self.stream)


class SeeShopOrder(WithShopOrder):
    """Decides nothing."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class ReportShopOrder(WithShopOrder):
    """Shopify tells of an order. Taking it in is all: what follows is settled later."""

    told: OrderTold
    source: Source
    delivery: str = ""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        about = (self.shop, self.order_id, self.told, self.source, self.delivery)
        return self.order(seen).report(*about)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"received": True})


class ReportShopRefund(WithShopOrder):
    """Shopify tells of a refund, perhaps before it has told of the order."""

    told: RefundTold
    source: Source
    delivery: str = ""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        about = (self.shop, self.order_id, self.told, self.source, self.delivery)
        return self.order(seen).report_refund(*about)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"received": True})


class SettleShopOrder(WithShopOrder, WithMatcha):
    """Credits what is paid and takes back what was refunded, in one append with the matcha.

    The pass is that of the first credit, or whom an operator named, or the cart if there is such a
    pass, or the one that the Shopify customer leads to; at first sight the customer opens one. A
    cart never merges two passes: it gives its own the customer, where nobody has that one yet.
    """

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        yield config_stream(PACKS_KEY)
        if self.stream in seen:
            order = self.order(seen)
            yield from survivors(seen, order.given_to)
            yield from survivors(seen, order.named_pass)
            if order.customer_id:
                claim = identity_claim(_identity(order))
                yield claim
                yield from survivors(seen, _own_pass(order))
                if claim in seen:
                    yield from survivors(seen, seen.get(Claim, claim).holder)
        yield from WithMatcha.reads(self, seen)

    def whose(self, seen: Seen) -> str:
        if self.stream not in seen:
            return ""
        order = self.order(seen)
        if known := (order.credit.pass_id if order.credit else order.given_to):
            return known
        if named := order.named_pass:
            if not followed(seen, named):
                return ""
            if current_pass(seen, named).opened:
                return named
        claim = identity_claim(_identity(order))
        if not order.customer_id or claim not in seen:
            return ""
        return seen.get(Claim, claim).holder or _own_pass(order)

    def pass_id(self, seen: Seen) -> str:
        return super().pass_id(seen) if self.whose(seen) else ""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order, owner = self.order(seen), self.pass_id(seen)
        if not order.due:
            return []
        settled = order.settle(owner, self._packs(seen), at)
        credited = any(isinstance(event, ShopOrderCredited) for event in settled)
        known = self._known(seen, owner, at) if credited else []
        return [*known, *settled, *self._matcha(seen, settled, at)]

    def _packs(self, seen: Seen) -> Packs:
        stream = config_stream(PACKS_KEY)
        config = seen.get(Config, stream)
        values = packs_of(config.value(PACKS_KEY))
        return Packs(PACKS_KEY, config.version, f"{stream}:{config.version}", values)

    def _known(self, seen: Seen, owner: str, at: datetime) -> list[Event]:
        """The customer leads to this pass from now on, if it led nowhere."""
        order = self.order(seen)
        if not order.customer_id or seen.get(Claim, identity_claim(_identity(order))).taken:
            return []
        names = current_pass(seen, owner).identities
        customers = [name for name in names if name.startswith("shopify:")]
        if len(names) >= IDENTITIES_MAX or len(customers) >= CUSTOMERS_MAX:
            return []
        return opened_with(seen, owner, [_identity(order)], at)

    def _matcha(self, seen: Seen, settled: Iterable[Event], at: datetime) -> list[Event]:
        events: list[Event] = []
        owner, lot_id = self.pass_id(seen), self.order(seen).lot_id
        account = matcha_of(seen, owner) if owner else None
        for event in settled:
            if account is None:
                break
            match event:
                case ShopOrderCredited(amount=amount, expires_at=until):
                    lot = NewLot(lot_id, "paid", amount, until, self.stream)
                    new = account.grant(owner, lot, at)
                case ShopRefundTakenBack(refund_id=refund_id, amount=amount):
                    new = account.claw_back(owner, lot_id, amount, refund_id, at)
                case ShopOrderTakenBack(reason=reason, amount=amount):
                    new = account.claw_back(owner, lot_id, amount, reason, at)
                case _:
                    continue
            events += new
            account = reduce(lambda known, each: known.evolve(each), new, account)
        return events


class NoteTag(WithShopOrder):
    """Shopify has given the customer our tag; or, with a `reason`, never will."""

    reason: str = ""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).tagged(self.reason)

    def pass_id(self, seen: Seen) -> str | None:
        return _credited_to(self.order(seen))


class ResolveShopCase(WithShopOrder):
    """`by` has seen to a case of this order. A `given_to` is the pass whose order it is."""

    kind: str
    reason: str
    by: str
    given_to: str = ""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        yield from survivors(seen, self.given_to)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order = self.order(seen)
        if not self.given_to:
            return order.close(self.kind, self.reason, self.by)
        known = current_pass(seen, self.given_to)
        if not known.opened:
            raise PassUnknown()
        return order.give(self.kind, known.pass_id, self.reason, self.by)

    def pass_id(self, seen: Seen) -> str | None:
        return _credited_to(self.order(seen))

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(202, {"state": "resolved"})


class RetryShopCase(WithShopOrder):
    """`by` has removed what stood in the way."""

    kind: str
    by: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).retry(self.kind, self.by)

    def pass_id(self, seen: Seen) -> str | None:
        return _credited_to(self.order(seen))

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(202, {"state": "retrying"})


def _identity(order: ShopOrder) -> str:
    return f"shopify:{order.customer_id}"


def _own_pass(order: ShopOrder) -> str:
    return f"pass:shopify:{order.customer_id}"


def _credited_to(order: ShopOrder) -> str | None:
    return order.credit.pass_id if order.credit else None
