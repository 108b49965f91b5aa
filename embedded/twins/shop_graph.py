"""The Shopify twin's GraphQL: the shop's records, as REST has them, told as the schema wants."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError, build_schema

from embedded.twins.shop_books import Books, tags_of
from embedded.twins.wire import Call

SCHEMA = build_schema(Path(__file__).with_name("shopify.graphql").read_text())
MOST = 250
TERM = re.compile(r"(\w+):(>=|<=|>|<)?'?([^\s']+)'?")
SORTED_BY = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "PROCESSED_AT": "created_at"}

Record = dict[str, Any]


class Root:
    """Queries and mutations of one call, by the schema's names."""

    def __init__(self, call: Call, books: Books) -> None:
        self._call = call
        self._books = books

    def order(self, _info: object, id: str) -> Record | None:
        found = self._books.orders.get(_number(id, "Order"))
        return _order(found) if found else None

    def orders(
        self,
        _info: object,
        first: int = 0,
        after: str | None = None,
        query: str = "",
        sortKey: str = "PROCESSED_AT",
    ) -> Record:
        if not 1 <= first <= MOST:
            raise GraphQLError("you must provide one of first or last, 250 at most")
        wanted = [order for order in self._books.orders.values() if _fits(order, query)]
        ordered = sorted(((_place(order, sortKey), order) for order in wanted), key=_key)
        left = [pair for pair in ordered if after is None or pair[0] > _read_cursor(after)]
        edges = [{"cursor": _cursor(at), "node": _order(order)} for at, order in left[:first]]
        more = {"hasNextPage": len(left) > first}
        end = {"endCursor": edges[-1]["cursor"] if edges else None}
        nodes = [edge["node"] for edge in edges]
        return {"edges": edges, "nodes": nodes, "pageInfo": more | end}

    def tagsAdd(self, _info: object, id: str, tags: list[str]) -> Record:
        number = _number(id, "Customer")
        blank = [tag for tag in tags if not tag.strip()]
        if blank:
            error = {"field": ["tags"], "message": "Tags cannot be blank"}
            return {"node": None, "userErrors": [error]}
        had = tags_of(self._books.customer(number))
        added = [tag for tag in dict.fromkeys(tags) if tag not in had]
        if self._call.performs:
            self._books.tag(number, had + added)
            self._call.record("tag_set", customer=str(number), tags=tags, added=added)
        return {"node": {"__typename": "Customer", "id": id}, "userErrors": []}


def _order(order: Record) -> Record:
    return {
        "__typename": "Order",
        **_named("Order", order["id"]),
        "name": order["name"],
        "test": bool(order["test"]),
        "cancelledAt": _spoken(order["cancelled_at"]),
        "displayFinancialStatus": order["financial_status"].upper(),
        "createdAt": _spoken(order["created_at"]),
        "updatedAt": _spoken(order["updated_at"]),
        "customer": _customer(order["customer"]),
        "customAttributes": [
            {"key": each.get("name"), "value": each.get("value")}
            for each in order["note_attributes"]
        ],
        "lineItems": lambda _info, first=MOST: _connection(map(_line, order["line_items"]), first),
        "refunds": lambda _info, first=MOST: [_refund(each) for each in order["refunds"][:first]],
    }


def _customer(customer: Record | None) -> Record | None:
    if not customer:
        return None
    return {**_named("Customer", customer["id"]), "tags": tags_of({"tags": "", **customer})}


def _line(line: Record) -> Record:
    gid = f"gid://shopify/LineItem/{line['id']}"
    return {"id": gid, "sku": line.get("sku"), "quantity": line.get("quantity", 1)}


def _refund(refund: Record) -> Record:
    lines = [
        {
            "quantity": line["quantity"],
            "lineItem": _line(line.get("line_item") or {"id": line["line_item_id"]}),
        }
        for line in refund["refund_line_items"]
    ]
    named = {**_named("Refund", refund["id"]), "createdAt": _spoken(refund["created_at"])}
    return {**named, "refundLineItems": lambda _info, first=MOST: _connection(lines, first)}


def _connection(records: Iterable[Record], first: int) -> Record:
    found = list(records)
    page = {"hasNextPage": len(found) > first, "endCursor": None}
    return {"nodes": found[:first], "pageInfo": page}


def _named(kind: str, number: int) -> Record:
    return {"id": f"gid://shopify/{kind}/{number}", "legacyResourceId": str(number)}


def _number(gid: str, kind: str) -> int:
    found = re.fullmatch(rf"gid://shopify/{kind}/(\d{{1,20}})", gid)
    if not found:
        raise GraphQLError(f"Invalid global id '{gid}'", extensions={"code": "RESOURCE_NOT_FOUND"})
    return int(found[1])


def _fits(order: Record, query: str) -> bool:
    return all(_term_fits(order, term) for term in query.split() if term != "AND")


def _term_fits(order: Record, term: str) -> bool:
    found = TERM.fullmatch(term)
    if not found or found[1] not in ("updated_at", "created_at", "financial_status"):
        raise GraphQLError(f"This twin does not know the search term {term}")
    name, sign, value = found.groups()
    if name == "financial_status":
        return bool(order[name] == value)
    had, asked = _time(order[name]), _time(value)
    return {">=": had >= asked, "<=": had <= asked, ">": had > asked, "<": had < asked}[
        sign or ">="
    ]


def _place(order: Record, sort_key: str) -> tuple[str, int]:
    """Where an order stands: its time and its id."""
    name = SORTED_BY.get(sort_key)
    return (_spoken(order[name]) or "" if name else "", int(order["id"]))


def _key(pair: tuple[tuple[str, int], Record]) -> tuple[str, int]:
    return pair[0]


def _cursor(place: tuple[str, int]) -> str:
    return base64.b64encode(orjson.dumps(place)).decode()


def _read_cursor(cursor: str) -> tuple[str, int]:
    try:
        at, number = orjson.loads(base64.b64decode(cursor, validate=True))
    except (ValueError, TypeError):
        raise GraphQLError(f"Invalid cursor for current pagination sort: {cursor}") from None
    return (at, number)


def _time(text: str) -> datetime:
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise GraphQLError(f"This twin cannot read the time {text}") from None
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def _spoken(text: str | None) -> str | None:
    """A time as GraphQL tells it: UTC, to the second."""
    if text is None:
        return None
    return _time(text).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
