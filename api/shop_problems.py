"""How the webhooks of the shop say no, and what operators are told of its orders."""

from __future__ import annotations

from commands.shop_orders import PassUnknown
from domain.event import Refused
from domain.shop_order import NoCaseOfThis


class NotSigned(Refused):
    """The signature of these bytes is missing, or is none of ours."""


class OtherShop(Refused):
    """These are the affairs of another shop."""


# class of refusal → status, code, seconds after which asking again makes sense
SHOP_TABLE: dict[type[Exception], tuple[int, str, int | None]] = {
    NotSigned: (401, "SIGNATURE_INVALID", None),
    OtherShop: (403, "OTHER_SHOP", None),
    NoCaseOfThis: (409, "NOT_DECIDED_SO", None),
    PassUnknown: (422, "PASS_UNKNOWN", None),
}
