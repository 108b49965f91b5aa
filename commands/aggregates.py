"""Which aggregate a stream folds into: the words before a colon say it, the longest that fit."""

from __future__ import annotations

from typing import Any, Protocol

from domain.admin import AdminCall
from domain.allowance import Allowance
from domain.batch import Batch
from domain.character import Character
from domain.circuit import Circuit
from domain.claim import Claim
from domain.config import Config
from domain.credit_account import CreditAccount
from domain.event import Event
from domain.generation import Generation
from domain.grove import Grove
from domain.matcha import MatchaAccount
from domain.minter import Minter
from domain.order import Order
from domain.otp import Otp
from domain.passes import Pass
from domain.payment_slot import PaymentSlot
from domain.preferences import Noted, Preferences
from domain.shop_order import ShopOrder
from domain.studio_session import StudioSession
from domain.upgrade import Upgrade
from domain.upload import Upload
from domain.x402_order import X402Order


class Aggregate(Protocol):
    def evolve(self, event: Event) -> Any: ...


_initial: dict[str, Aggregate] = {
    "order": Order(),
    "order:x402": X402Order(),
    "order:shopify": ShopOrder(),
    "payment_slot": PaymentSlot(),
    "circuit": Circuit(),
    "character": Character(),
    "batch": Batch(),
    "allowance": Allowance(),
    "credit_account": CreditAccount(),
    "credit_account:matcha": MatchaAccount(),
    "grove": Grove(),
    "upgrade": Upgrade(),
    "upload": Upload(),
    "generation": Generation(),
    "preferences": Preferences(),
    "mma_event": Noted(),
    "session": StudioSession(),
    "app_config": Config(),
    "pass": Pass(),
    "otp": Otp(),
    "minter": Minter(),
    "admin_audit": AdminCall(),
    "claim": Claim(),
    "key": Claim(),
    "inbox": Claim(),
}


def initial(stream: str) -> Aggregate:
    """The aggregate before its first event."""
    kind, _, rest = stream.partition(":")
    return _initial.get(f"{kind}:{rest.partition(':')[0]}") or _initial[kind]
