"""What is on offer: roles, each with the recipe by which it is made and its price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from domain.character import Kind
from domain.event import Refused
from domain.money import Money

Recipe = Literal["role_mint", "role_mint_final"]
"""`role_mint`: pay and mint at once, then the image. `role_mint_final`: pay, image, our mint."""


class UnknownRole(Refused):
    """No such role is on offer."""


@dataclass(frozen=True, slots=True)
class Offer:
    role: str
    recipe: Recipe
    price: Money


@dataclass(frozen=True, slots=True)
class MintTerms:
    """Where a payment must arrive to count. Addresses in lower case hex."""

    chain_id: int
    contract: str
    token: str
    treasury: str


class Catalog:
    """The offers of this deployment by role."""

    def __init__(self, offers: Iterable[Offer], terms: MintTerms) -> None:
        self.offers = {offer.role: offer for offer in offers}
        self.terms = terms

    def offer(self, role: str) -> Offer:
        if role not in self.offers:
            raise UnknownRole(role)
        return self.offers[role]


def prompt_for(role: str, kind: Kind) -> str:
    """The words that a provider is asked with; our own, never the caller's."""
    subject = f"a portrait of the {role}"
    if kind == "mini_me":
        subject = f"a small, round, friendly mini version of the {role}"
    return f"{subject}, character card, centred, clean background, rich light, no text"
