"""Webhooks of Shopify: whose the raw bytes are, and the few facts in them that count.

Only the body is signed, so nothing in a header is believed (spec `providers.md` §1). Of a body
everything is left out that is not listed here: names, addresses and emails never get further.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from starlette.requests import Request

from api.body import read_bytes
from api.parts import Parts
from api.problems import Invalid
from api.shop_problems import NotSigned, OtherShop
from domain.shop_order_events import ShopLine
from domain.shop_told import OrderTold, RefundTold

MANY, TEXT_MAX = 1_000, 100


def exact(value: Any) -> Any:
    """7.0 is 7, but a float beyond 2**53 may stand for its neighbours as well."""
    if isinstance(value, bool) or (isinstance(value, float) and abs(value) > 2**53):
        raise ValueError("must be a whole number, written in full")
    return value


Id = Annotated[int, BeforeValidator(exact), Field(gt=0, lt=10**20)]
Quantity = Annotated[int, BeforeValidator(exact), Field(gt=-(10**6), lt=10**6)]


class Told(BaseModel):
    """A part of a body of Shopify. What is not named is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ToldLine(Told):
    id: Id
    quantity: Quantity
    sku: str | None = None


class ToldArticle(Told):
    sku: str | None = None


class ToldRefundLine(Told):
    line_item_id: Id
    quantity: Quantity
    line_item: ToldArticle | None = None


class ToldRefund(Told):
    id: Id
    refund_line_items: Annotated[tuple[ToldRefundLine, ...], Field(max_length=MANY)]

    def said(self) -> RefundTold:
        lines = (
            ShopLine(str(line.line_item_id), _sku(line.line_item), line.quantity)
            for line in self.refund_line_items
        )
        return RefundTold(str(self.id), tuple(lines))


class Refund(ToldRefund):
    """What `refunds/create` delivers."""

    order_id: Id


class ToldCustomer(Told):
    id: Id | None = None


class ToldAttribute(Told):
    name: Any = None
    value: Any = None


class Order(Told):
    """What `orders/paid` and `orders/cancelled` deliver; `customer` is null for a guest."""

    id: Id
    financial_status: Annotated[str, Field(max_length=TEXT_MAX)] | None
    line_items: Annotated[tuple[ToldLine, ...], Field(max_length=MANY)]
    test: bool | None = None
    cancelled_at: Annotated[str, Field(max_length=TEXT_MAX)] | None = None
    customer: ToldCustomer | None = None
    note_attributes: Annotated[tuple[ToldAttribute, ...], Field(max_length=MANY)] | None = None
    refunds: Annotated[tuple[ToldRefund, ...], Field(max_length=MANY)] | None = None

    def said(self) -> OrderTold:
        named = (x.value for x in self.note_attributes or () if x.name == "mg_pass_id")
        customer = self.customer.id if self.customer else None
        return OrderTold(
            financial_status=_clean(self.financial_status or ""),
            test=bool(self.test),
            cancelled=bool(self.cancelled_at),
            customer_id=str(customer or ""),
            named_pass=next((value for value in named if isinstance(value, str)), ""),
            lines=tuple(ShopLine(str(x.id), _sku(x), x.quantity) for x in self.line_items),
            refunds=tuple(each.said() for each in self.refunds or ()),
        )


B = TypeVar("B", bound=Told)


async def signed_bytes(request: Request, parts: Parts) -> bytes:
    """The raw body, once it is certain that Shopify sent it for our shop. NotSigned, OtherShop;
    Limited for an address that has failed too often: who signs is never limited."""
    said = _header(request, "hmac-sha256")
    raw = await read_bytes(request) if said else b""
    if not said or not is_signed(raw, said, parts.settings.mega_shopify_secrets):
        parts.limits.forged.take(request.client.host if request.client else "")
        raise NotSigned()
    if _header(request, "shop-domain").lower() != parts.settings.mega_shopify_shop:
        raise OtherShop()
    return raw


def is_signed(raw: bytes, said: str, secrets: Iterable[SecretStr]) -> bool:
    """Whether `said` is base64, as Shopify writes it and no other way, of the HMAC-SHA256 of the
    bytes under one of the secrets; after a rotation the old one is used for a while. Each is
    compared, so that the time tells nothing."""
    keys = [secret.get_secret_value().encode() for secret in secrets]
    wanted = [b64encode(hmac.digest(key, raw, "sha256")) for key in keys]
    given = said.encode("latin-1")
    return sum(hmac.compare_digest(each, given) for each in wanted) > 0


def delivery_of(request: Request) -> str:
    """Shopify's name of this message, for traces; it is not signed."""
    return _clean(_header(request, "webhook-id"))


def read(raw: bytes, model: type[B]) -> B:
    """The facts of a signed body; Invalid where it is not what Shopify sends.

    Shopify sends it again for 4 hours then, so that a mistake of ours can be put right meanwhile,
    and afterwards the sweep finds the order. To acknowledge what nobody understood would lose it.
    """
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        told = ((".".join(["body", *map(str, one["loc"])]), one["msg"]) for one in found[:5])
        raise Invalid(*told) from None


def _header(request: Request, name: str) -> str:
    """Newer deliveries leave the X- away."""
    return request.headers.get(f"x-shopify-{name}") or request.headers.get(f"shopify-{name}", "")


def _sku(article: ToldLine | ToldArticle | None) -> str:
    return _clean((article and article.sku) or "")


def _clean(text: str) -> str:
    """As a text that any table and topic can hold."""
    return "".join(letter if letter.isprintable() else "�" for letter in text[:TEXT_MAX])
