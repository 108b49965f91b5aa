"""The Shopify twin: the Admin API, and orders that a test places; spec `providers.md` §1.

Read in a source (the vendor's documentation and public code): the paths, `X-Shopify-Access-Token`,
the shapes of `tagsAdd`, `orders` and their errors, that errors come with HTTP 200, the cost of a
query (nothing for a scalar, one an object, two and the number asked for a connection, 10 a
mutation, at most 1,000), the bucket that fills again, that REST's PUT overwrites all tags.

From memory, therefore no proof about the vendor: the size of the bucket, the sentences of errors,
the codes besides THROTTLED, the form of a cursor. Ours: any token is a good token, every customer's
id exists, of the search syntax only times and the financial status are known.

    POST /_twin/orders ORDER           keep it and deliver `orders/paid`; ORDER is REST's, all of it
                                       optional, and may have `webhook` (shop_webhooks.Wanted)
    POST /_twin/refunds REFUND         {order_id, refund_line_items:[{line_item_id, quantity}]}
    POST /_twin/cancellations          {order_id, reason?}
    POST /_twin/bucket                 {available?, maximum?, restore_rate?}

A reset fills the bucket and gives up webhooks that are still being tried.

Effect kind: `tag_set` {customer, tags, added}. The application is at `MEGA_PUBLIC_URL`.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from typing import Any, TypeVar

import orjson
from graphql import graphql
from pydantic import BaseModel, ConfigDict

from embedded.twins.journal import Journal
from embedded.twins.script import ScriptRefused, parse
from embedded.twins.shop_books import Books, tags_of
from embedded.twins.shop_cost import Bucket, cost_of
from embedded.twins.shop_graph import SCHEMA, Root
from embedded.twins.shop_webhooks import Emitter, Topic, Wanted
from embedded.twins.wire import Answer, Call

PATH = re.compile(r"/(\d{4}-\d{2}|unstable)/(graphql|customers/(\d{1,20}))\.json")
MAX_COST = 1_000


class _Told(BaseModel):
    """A control call in REST's shape: what is not named here is kept as it is."""

    model_config = ConfigDict(extra="allow")

    webhook: Wanted = Wanted()

    def said(self) -> dict[str, Any]:
        return self.model_dump(exclude={"webhook"}, exclude_unset=True)


class _Numbered(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: int


class _Line(BaseModel):
    model_config = ConfigDict(extra="allow")

    quantity: int = 1


class _RefundLine(_Line):
    line_item_id: int


class PlacedOrder(_Told):
    id: int | None = None
    customer: _Numbered | None = None
    line_items: list[_Line] = []


class MadeRefund(_Told):
    order_id: int
    id: int | None = None
    refund_line_items: list[_RefundLine] = []


class Cancellation(_Told):
    order_id: int
    reason: str = "customer"


ToldT = TypeVar("ToldT", bound=_Told)


class Level(BaseModel):
    """What is left out is as it was."""

    model_config = ConfigDict(strict=True, extra="forbid")

    available: float | None = None
    maximum: int | None = None
    restore_rate: float | None = None


class Shopify:
    """`POST /admin/api/{version}/graphql.json`, `GET` and `PUT …/customers/{id}.json`."""

    name = "shopify"
    base_path = "/admin/api"

    def __init__(self, application: str | None = None, shop: str = "", secrets: str = "") -> None:
        """The application's base URL, the shop's domain and the secrets, comma between them, newest
        first: those of the environment, unless others are given."""
        given = os.environ.get
        self._application = application or given("MEGA_PUBLIC_URL", "")
        named = shop or given("MEGA_SHOPIFY_SHOP") or "mina-dev.myshopify.com"
        known = (secrets or given("MEGA_SHOPIFY_SECRETS", "")).split(",")
        self._emitter = Emitter(self._application, named, tuple(one.strip() for one in known))
        self._kept: Books | None = None
        self.forget()

    def forget(self) -> None:
        self._bucket = Bucket()
        self._emitter.forget()

    async def answer(self, call: Call) -> Answer:
        found = PATH.fullmatch(call.path)
        if not found:
            return Answer.json(404, {"errors": "Not Found"})
        if not call.headers.get("x-shopify-access-token", "").strip():
            sentence = (
                "[API] Invalid API key or access token (unrecognized login or wrong password)"
            )
            return Answer.json(401, {"errors": sentence})
        version, number = found[1], found[3]
        match call.method, number:
            case "POST", None:
                body = await self._graphql(call)
            case "GET" | "PUT", str():
                body = self._customer(call, int(number))
            case _:
                return Answer.json(405, {"errors": "Method Not Allowed"})
        return Answer.json(200, body, x_shopify_api_version=version)

    async def control(self, call: Call) -> Answer | None:
        now = call.journal.now()
        match call.method, call.path:
            case "POST", "/_twin/orders":
                placed = self._read(PlacedOrder, call)
                order = self._books(call).place(placed.said(), now)
                return await self._emit("orders/paid", order, placed.webhook, now)
            case "POST", "/_twin/refunds":
                made = self._read(MadeRefund, call)
                refund = self._books(call).refund(made.said(), now)
                return await self._emit("refunds/create", refund, made.webhook, now)
            case "POST", "/_twin/cancellations":
                wanted = self._read(Cancellation, call)
                order = self._books(call).cancel(wanted.order_id, wanted.reason, now)
                return await self._emit("orders/cancelled", order, wanted.webhook, now)
            case "POST", "/_twin/bucket":
                self._bucket.set(parse(Level, call.body).model_dump(exclude_none=True), now)
                return Answer.json(200, self._bucket.status(now))
        return None

    def _read(self, model: type[ToldT], call: Call) -> ToldT:
        """The control call, refused before anything was kept."""
        read = parse(model, call.body)
        if read.webhook.deliver and not self._application:
            raise ScriptRefused("Nobody told where the application is (MEGA_PUBLIC_URL).")
        if isinstance(read, Cancellation) and read.order_id not in self._books(call).orders:
            raise ScriptRefused(f"There is no order {read.order_id}.")
        return read

    async def _emit(
        self, topic: Topic, value: dict[str, Any], wanted: Wanted, now: datetime
    ) -> Answer:
        sent = await self._emitter.emit([topic], value, wanted, now)
        kind = "refund" if topic == "refunds/create" else "order"
        return Answer.json(200, {kind: value, "deliveries": sent})

    async def _graphql(self, call: Call) -> dict[str, Any]:
        try:
            asked = orjson.loads(call.body)
            query, variables = asked["query"], asked.get("variables") or {}
            name = asked.get("operationName")
            requested = cost_of(query, variables, name)
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"errors": [{"message": "The request has no query that can be read."}]}
        now = call.journal.now()
        if requested > MAX_COST:
            message = f"Query cost is {requested}, which exceeds the limit of {MAX_COST}"
            return _error(message, "MAX_COST_EXCEEDED")
        if not self._bucket.take(requested, now):
            return _error("Throttled", "THROTTLED") | self._bucket.told(requested, None, now)
        root = Root(call, self._books(call))
        result = await graphql(SCHEMA, query, root, None, variables, name)
        answer: dict[str, Any] = dict(result.formatted)
        return answer | self._bucket.told(requested, requested, now)

    def _customer(self, call: Call, number: int) -> dict[str, Any]:
        """REST's answer; a PUT replaces the tags by what it says, whoever set them."""
        books = self._books(call)
        said = call.readable_body() if call.method == "PUT" else {}
        wanted = said.get("customer") if isinstance(said, dict) else None
        if isinstance(wanted, dict) and isinstance(wanted.get("tags"), str) and call.performs:
            before = tags_of(books.customer(number))
            tags = tags_of(wanted)
            books.tag(number, tags)
            added = [tag for tag in tags if tag not in before]
            call.record("tag_set", customer=str(number), tags=tags, added=added)
        return {"customer": books.customer(number)}

    def _books(self, call: Call) -> Books:
        self._kept = self._kept or Books(Journal("shopify_shop", call.journal.folder))
        return self._kept


def _error(message: str, code: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
