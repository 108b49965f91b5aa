"""What the Shopify twin knows of its shop: orders, refunds and customers, in the REST API's shapes.

Every change is a line of JSON in `shopify_shop.jsonl` beside the twin's ledger, and is lost by no
kill -9. What an order placed by a test leaves out is filled in as the vendor would.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from embedded.twins.journal import Journal

FIRST_ID = 9_100_000_000_000_001
"""Above 2^53, as ids of long-lived shops are: whoever reads them as floats shall notice."""

APART = 1_000
"""Between two new ids, so that the lines of an order have room there."""


class Books:
    """The shop's records, folded from its journal. An id nobody told of is a customer's all the
    same: a test may sign a webhook for a customer of its own making."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.orders: dict[int, dict[str, Any]] = {}
        self._customers: dict[int, dict[str, Any]] = {}
        for item in journal.items:
            self._apply(item["kind"], item["value"])

    def new_id(self) -> int:
        return FIRST_ID + len(self._journal.items) * APART

    def place(self, order: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Keep a new order, or an order anew; as it is then."""
        number = order.get("id") or self.new_id()
        at = now.isoformat(timespec="seconds")
        filled = {
            "id": number,
            "admin_graphql_api_id": f"gid://shopify/Order/{number}",
            "name": f"#{1001 + len(self.orders)}",
            "email": None,
            "created_at": at,
            "updated_at": at,
            "processed_at": at,
            "cancelled_at": None,
            "cancel_reason": None,
            "test": False,
            "currency": "USD",
            "total_price": "0.00",
            "financial_status": "paid",
            "source_name": "web",
            "note_attributes": [],
            "customer": None,
            "refunds": [],
            **{name: value for name, value in order.items() if name != "id"},
        }
        lines = enumerate(order.get("line_items") or [], start=1)
        filled["line_items"] = [_line(line, number + place) for place, line in lines]
        self._keep("order", filled)
        return filled

    def refund(self, refund: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Keep a refund with its order, if that is here; as REST tells it."""
        number, at = refund.get("id") or self.new_id(), now.isoformat(timespec="seconds")
        order = self.orders.get(refund["order_id"], {})
        lines = {line["id"]: line for line in order.get("line_items", [])}
        filled = {
            "id": number,
            "admin_graphql_api_id": f"gid://shopify/Refund/{number}",
            "created_at": at,
            "processed_at": at,
            "note": None,
            "transactions": [],
            **{name: value for name, value in refund.items() if name != "id"},
        }
        refunded = enumerate(refund.get("refund_line_items") or [], start=1)
        filled["refund_line_items"] = [
            {"id": number + place, "quantity": 1, "line_item": lines.get(line["line_item_id"])}
            | line
            for place, line in refunded
        ]
        if order:
            refunds = [one for one in order["refunds"] if one["id"] != number] + [filled]
            changes = {"refunds": refunds, "financial_status": _refunded(order, refunds)}
            self._keep("order", order | changes | {"updated_at": at})
        return filled

    def cancel(self, order_id: int, reason: str, now: datetime) -> dict[str, Any]:
        """Cancel an order that is here; as it is then."""
        order, at = self.orders[order_id], now.isoformat(timespec="seconds")
        self._keep("order", order | {"cancelled_at": at, "cancel_reason": reason, "updated_at": at})
        return self.orders[order_id]

    def customer(self, number: int) -> dict[str, Any]:
        """As REST tells it; `tags` is one text with commas."""
        unknown = {"admin_graphql_api_id": f"gid://shopify/Customer/{number}", "tags": ""}
        return {"id": number, "email": None, **unknown, **self._customers.get(number, {})}

    def tag(self, number: int, tags: list[str]) -> None:
        """Replace the customer's tags."""
        self._keep("customer", self.customer(number) | {"tags": ", ".join(tags)})

    def _keep(self, kind: str, value: dict[str, Any]) -> None:
        self._journal.record(kind, None, {"value": value})
        self._apply(kind, value)

    def _apply(self, kind: str, value: dict[str, Any]) -> None:
        if kind == "customer":
            self._customers[value["id"]] = value
            return
        self.orders[value["id"]] = value
        bought_by = value["customer"] or {}
        if "id" in bought_by and bought_by["id"] not in self._customers:
            self._customers[bought_by["id"]] = {"tags": "", **bought_by}


def tags_of(customer: dict[str, Any]) -> list[str]:
    return [tag.strip() for tag in customer["tags"].split(",") if tag.strip()]


def _line(line: dict[str, Any], number: int) -> dict[str, Any]:
    filled = {"id": number, "sku": None, "quantity": 1, "price": "0.00", "gift_card": False, **line}
    return {"admin_graphql_api_id": f"gid://shopify/LineItem/{filled['id']}", **filled}


def _refunded(order: dict[str, Any], refunds: list[dict[str, Any]]) -> str:
    """`refunded` once every line was given back, `partially_refunded` before."""
    bought = sum(line["quantity"] for line in order["line_items"])
    back = sum(line["quantity"] for one in refunds for line in one["refund_line_items"])
    return "refunded" if back >= bought else "partially_refunded"
