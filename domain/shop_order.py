"""ShopOrder: packs of matcha bought in the Shopify shop, by what Shopify has said of the order.

Life: told (webhooks, sweeps: any number, in any order) → credited once, or turned down → taken
back, line by line as it is refunded, or whole when it ends. Only facts that cannot un-happen count,
so what comes of an order depends on what was told, never on when or how often.
Seed 001 §5, spec `providers.md` §1, `decisions.md` C30, `invariants.md` I-12b.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from domain import shop_order_events as happened
from domain.event import Event, Refused
from domain.shop_lines import once, refunds_due, summed
from domain.shop_order_events import CreditedLine, ShopLine, shop_order_stream
from domain.shop_told import PAID, PASS_ID, TEST_NOTIFICATION, OrderTold, Packs, RefundTold
from domain.state import changed

PAID_LASTS = timedelta(days=30)
"""Bought matcha expires 30 days after the last purchase (seed 001 §5.2)."""

TAG = "Mina-users"
REPEATS_MAX = 20


class NoCaseOfThis(Refused):
    """This order does not wait for that decision."""


@dataclass(frozen=True)
class ShopOrder:
    shop: str = ""
    order_id: str = ""
    told: bool = False
    paid: bool = False
    test: bool = False
    cancelled: bool = False
    voided: bool = False
    customer_id: str = ""
    named_pass: str = ""
    lines: tuple[ShopLine, ...] = ()
    refunds: Mapping[str, tuple[ShopLine, ...]] = field(default_factory=dict)
    repeats: int = 0
    turned_down: str = ""
    unclaimed: bool = False
    given_to: str = ""
    credit: happened.ShopOrderCredited | None = None
    settled: frozenset[str] = frozenset()
    taken_back: int = 0
    ended: bool = False
    tagging: str = ""
    cases: frozenset[str] = frozenset()

    # Questions.

    @property
    def stream(self) -> str:
        return shop_order_stream(self.shop, self.order_id)

    @property
    def lot_id(self) -> str:
        return f"shopify:{self.shop}:{self.order_id}"

    @property
    def over(self) -> str:
        """Why nothing is, or stays, credited for ever; empty: it is."""
        said = {"test": self.test, "cancelled": self.cancelled, "voided": self.voided}
        return next((reason for reason, so in said.items() if so), "")

    @property
    def granted(self) -> int:
        return self.credit.amount if self.credit else 0

    @property
    def due(self) -> bool:
        """Whether what was told has not been acted upon."""
        if self.credit:
            ending = bool(self.over) and not self.ended
            return ending or bool(self.refunds.keys() - self.settled)
        if reason := self.over or ("" if self.paid else "unpaid"):
            return self.told and self.turned_down != reason
        return self.turned_down != "no_packs" and not self.unclaimed

    @property
    def tag_due(self) -> bool:
        """Buyers are tagged, those that became known later too; who ended the order is no less."""
        return bool(self.credit and self.customer_id) and self.tagging in ("", "no_customer")

    @property
    def status(self) -> str:
        if self.credit:
            return "taken_back" if self.taken_back == self.granted else "credited"
        return "unclaimed" if self.unclaimed else self.turned_down or "told"

    # Decisions: what was told.

    def report(
        self, shop: str, order_id: str, told: OrderTold, source: happened.Source, delivery: str
    ) -> list[Event]:
        """An order body; its refunds count like refunds that came by themselves."""
        reported = happened.ShopOrderReported(
            shop=shop,
            order_id=order_id,
            source=source,
            delivery=delivery,
            financial_status=told.financial_status,
            paid=told.financial_status in PAID,
            test=told.test or order_id == TEST_NOTIFICATION,
            cancelled=told.cancelled,
            customer_id=told.customer_id,
            named_pass=told.named_pass if PASS_ID.fullmatch(told.named_pass) else "",
            lines=once(told.lines),
        )
        ids = {"shop": shop, "order_id": order_id, "source": source, "delivery": delivery}
        new: list[Event] = [reported] if self.evolve(reported) != self else []
        return self._or_repeat([*new, *self._refunds(ids, told.refunds)], ids)

    def report_refund(
        self, shop: str, order_id: str, told: RefundTold, source: happened.Source, delivery: str
    ) -> list[Event]:
        ids = {"shop": shop, "order_id": order_id, "source": source, "delivery": delivery}
        return self._or_repeat(self._refunds(ids, [told]), ids)

    # Decisions: what comes of it. Asked again, they do nothing more.

    def settle(self, pass_id: str, packs: Packs, at: datetime) -> list[Event]:
        """All that is due: `pass_id` is whose it is, empty when nobody knows."""
        credited = [] if self.credit else self._judge(pass_id, packs, at)
        after = self._after(credited)
        return [*credited, *(after._take_back(pass_id) if after.credit else [])]

    def tagged(self, reason: str = "") -> list[Event]:
        """The customer has the tag; or, with a `reason`, will not have it."""
        if not self.tag_due:
            return []
        about: Any = {**self._ids, "customer_id": self.customer_id}
        if reason:
            return [happened.ShopCustomerNotTagged(**about, reason=reason)]
        return [happened.ShopCustomerTagged(**about, tag=TAG)]

    def give(self, kind: str, pass_id: str, reason: str, by: str) -> list[Event]:
        """An operator knows whose it is."""
        if self.given_to == pass_id:
            return []
        if kind != "no_pass" or kind not in self.cases:
            raise NoCaseOfThis()
        about: Any = {**self._ids, "reason": reason, "by": by}
        return [happened.ShopOrderGiven(**about, given_to=pass_id)]

    def retry(self, kind: str, by: str) -> list[Event]:
        """An operator has added the pack, or has put the tagging right."""
        if kind not in self.cases or kind in ("no_pass", "refund_amount_only"):
            raise NoCaseOfThis()
        if kind == "unknown_sku" and self.credit:
            raise NoCaseOfThis("(it was credited without them; give what is missing by hand)")
        return [happened.ShopRetryAsked(**self._ids, kind=kind, by=by)]

    def close(self, kind: str, reason: str, by: str) -> list[Event]:
        if kind not in self.cases:
            raise NoCaseOfThis()
        return [happened.ShopCaseClosed(**self._ids, kind=kind, reason=reason, by=by)]

    # History: how each fact changes what is known. It never refuses.

    def evolve(self, event: Event) -> ShopOrder:
        claimed = self.cases - {"no_pass"}
        match event:
            case happened.ShopOrderReported():
                return self._told(event)
            case happened.ShopRefundReported(refund_id=refund_id, lines=lines) as e:
                refunds = {**self.refunds, refund_id: lines}
                return changed(self, shop=e.shop, order_id=e.order_id, refunds=refunds)
            case happened.ShopDeliveryRepeated(number=number):
                return changed(self, repeats=number)
            case happened.ShopOrderTurnedDown(reason=reason):
                return changed(self, turned_down=reason, unclaimed=False, cases=claimed)
            case happened.ShopOrderCredited():
                return changed(self, credit=event, turned_down="", unclaimed=False, cases=claimed)
            case happened.ShopRefundTakenBack(refund_id=refund_id, amount=amount):
                settled, taken = self.settled | {refund_id}, self.taken_back + amount
                return changed(self, settled=settled, taken_back=taken)
            case happened.ShopOrderTakenBack(amount=amount):
                left = self.cases - {"refund_amount_only"}
                return changed(self, ended=True, taken_back=self.taken_back + amount, cases=left)
            case happened.ShopCustomerTagged(tag=tag):
                return changed(self, tagging=tag, cases=self.cases - {"not_tagged"})
        return self._asked(event)

    def _asked(self, event: Event) -> ShopOrder:
        """What operators are asked, and what they answer."""
        match event:
            case happened.ShopOrderUnclaimed():
                return changed(self, unclaimed=True, cases=self.cases | {"no_pass"})
            case happened.ShopSkusUnknown():
                return changed(self, cases=self.cases | {"unknown_sku"})
            case happened.ShopRefundUnclear(refund_id=refund_id):
                more = self.cases | {"refund_amount_only"}
                return changed(self, settled=self.settled | {refund_id}, cases=more)
            case happened.ShopCustomerNotTagged(customer_id=customer, reason=reason):
                more = self.cases | {"not_tagged"} if customer else self.cases
                return changed(self, tagging=reason, cases=more)
            case happened.ShopOrderGiven(given_to=given_to):
                return changed(self, given_to=given_to, unclaimed=False)
            case happened.ShopRetryAsked(kind=kind):
                again = {"tagging": ""} if kind == "not_tagged" else {"turned_down": ""}
                return changed(self, **again, cases=self.cases - {kind})
            case happened.ShopCaseClosed(kind=kind):
                return changed(self, cases=self.cases - {kind})
        return self

    def _told(self, event: happened.ShopOrderReported) -> ShopOrder:
        customer = self.customer_id or event.customer_id
        named = self.named_pass or event.named_pass
        known = (customer, named) == (self.customer_id, self.named_pass)
        return changed(
            self,
            shop=event.shop,
            order_id=event.order_id,
            told=True,
            paid=self.paid or event.paid,
            test=self.test or event.test,
            cancelled=self.cancelled or event.cancelled,
            voided=self.voided or event.financial_status == "voided",
            customer_id=customer,
            named_pass=named,
            unclaimed=self.unclaimed and known,
            lines=event.lines if event.paid and not self.paid else self.lines,
        )

    # Helpers.

    @property
    def _ids(self) -> Any:
        return {"shop": self.shop, "order_id": self.order_id}

    def _after(self, events: Iterable[Event]) -> ShopOrder:
        return reduce(ShopOrder.evolve, events, self)

    def _or_repeat(self, new: list[Event], ids: Any) -> list[Event]:
        """A webhook that says nothing new is counted; a sweep says the same again by nature."""
        if new or ids["source"] == "sweep" or self.repeats >= REPEATS_MAX:
            return new
        about = {name: ids[name] for name in ("shop", "order_id", "delivery")}
        return [happened.ShopDeliveryRepeated(**about, number=self.repeats + 1)]

    def _refunds(self, ids: Any, told: Iterable[RefundTold]) -> list[Event]:
        new = {each.refund_id: each.lines for each in told if each.refund_id not in self.refunds}
        return [
            happened.ShopRefundReported(**ids, refund_id=id_, lines=summed(lines))
            for id_, lines in new.items()
        ]

    def _judge(self, pass_id: str, packs: Packs, at: datetime) -> list[Event]:
        if not self.due:
            return []
        if reason := self.over or ("" if self.paid else "unpaid"):
            return [happened.ShopOrderTurnedDown(**self._ids, reason=reason)]
        values = [(line, packs.value(line.sku)) for line in self.lines]
        lines = [CreditedLine(x.line_id, x.sku, x.quantity, n) for x, n in values if n]
        skus = tuple(dict.fromkeys(line.sku for line, value in values if not value))
        unknown = [happened.ShopSkusUnknown(**self._ids, skus=skus)] if skus else []
        amount = sum(line.value * line.quantity for line in lines)
        if not amount:
            return [happened.ShopOrderTurnedDown(**self._ids, reason="no_packs"), *unknown]
        if not pass_id:
            return [happened.ShopOrderUnclaimed(**self._ids, amount=amount)]
        credited = happened.ShopOrderCredited(
            **self._ids,
            pass_id=pass_id,
            lot_id=self.lot_id,
            amount=amount,
            lines=tuple(lines),
            config_key=packs.key,
            config_version=packs.version,
            config_id=packs.id,
            expires_at=at + PAID_LASTS,
        )
        nobody = happened.ShopCustomerNotTagged(**self._ids, customer_id="", reason="no_customer")
        return [credited, *unknown, *([] if self.customer_id else [nobody])]

    def _take_back(self, pass_id: str) -> list[Event]:
        assert self.credit is not None
        about: Any = {**self._ids, "pass_id": pass_id}
        events: list[Event] = []
        left = self.granted - self.taken_back
        for id_, amount in refunds_due(self.credit.lines, self.refunds, self.settled):
            if amount is None and left and not self.over:
                events.append(happened.ShopRefundUnclear(**about, refund_id=id_))
                continue
            taken = min(amount or 0, left)
            left -= taken
            events.append(happened.ShopRefundTakenBack(**about, refund_id=id_, amount=taken))
        if self.over and not self.ended:
            events.append(happened.ShopOrderTakenBack(**about, reason=self.over, amount=left))
        return events
