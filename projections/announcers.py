"""Who says what in the feed: one announcer for each kind of stream that passes want to hear of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from domain.credit_account import CreditEvent
from domain.matcha_events import MatchaEvent
from domain.matcha_facts import MATCHA
from domain.mint_ui import mint_ui_state
from ledger.codec import Recorded
from projections.announcer import Announcer
from projections.batches import Batches, TrackedBatch
from projections.characters import Card, Characters
from projections.level_announcer import LevelStates
from projections.studio_announcers import GenerationMessages
from projections.topics import topics_of
from projections.x402_orders import TrackedOrder, X402Orders


class CharacterStates(Announcer[Card]):
    """Seed 000: what a role card shows. A card that nobody has opened yet shows `new`, too."""

    kind = "characters"
    type = "mint:state_changed"
    topics = Characters.topics
    state = Card
    _shown = (
        "role",
        "kind",
        "mint_ui_state",
        "next_action",
        "will_charge",
        "mint_order_id",
        "mint_order_status",
        "image_status",
        "image_url",
        "on_chain_token_id",
    )

    def __init__(self) -> None:
        self._cards = Characters()

    def key(self, event: Any) -> str:
        return str(event.character_id)

    def fold(self, state: Card | None, recorded: Recorded) -> Card:
        return self._cards.fold("", state, recorded)

    def owner(self, state: Card) -> str:
        return state.character.pass_id

    def show(self, state: Card) -> dict[str, Any]:
        view = self._cards.view(state)
        return {"character_id": view["id"], **{name: view[name] for name in self._shown}}

    def tell(
        self, before: Card | None, after: Card, recorded: Recorded
    ) -> tuple[str, dict[str, Any]] | None:
        return None if _ui(before) == _ui(after) else (self.type, self.show(after))


class GeopletStates(Announcer[TrackedOrder]):
    """Seed 004: the status of a tracked payment; null once it was dismissed or ran out."""

    kind = "geoplets"
    type = "mint:state_changed"
    topics = X402Orders.topics
    state = TrackedOrder

    def __init__(self) -> None:
        self._orders = X402Orders()

    def key(self, event: Any) -> str:
        return str(event.order_id)

    def fold(self, state: TrackedOrder | None, recorded: Recorded) -> TrackedOrder:
        return self._orders.fold("", state, recorded)

    def owner(self, state: TrackedOrder) -> str:
        return state.order.pass_id

    def show(self, state: TrackedOrder) -> dict[str, Any] | None:
        order = state.order
        if order.terms is None:
            return None
        about = {"fid": order.terms.fid, "payment_type": order.terms.payment_type}
        return {**about, "number": order.terms.number, "status": order.status}

    def tell(
        self, before: TrackedOrder | None, after: TrackedOrder, recorded: Recorded
    ) -> tuple[str, dict[str, Any]] | None:
        was = before.order.status if before else None
        shown = self.show(after)
        return None if shown is None or shown["status"] == was else (self.type, shown)


class BatchProgress(Announcer[TrackedBatch]):
    """Seed 003: `minted` and `failed` count units; those that failed may be asked for again."""

    kind = "batches"
    type = "batch:progress"
    topics = Batches.topics
    state = TrackedBatch

    def __init__(self) -> None:
        self._batches = Batches()

    def key(self, event: Any) -> str:
        return str(event.batch_id)

    def fold(self, state: TrackedBatch | None, recorded: Recorded) -> TrackedBatch:
        return self._batches.fold("", state, recorded)

    def owner(self, state: TrackedBatch) -> str:
        return state.batch.pass_id

    def show(self, state: TrackedBatch) -> dict[str, Any]:
        batch = state.batch
        return {
            "batch_id": batch.batch_id,
            "recipe": batch.recipe,
            "status": batch.status,
            "quantity": batch.quantity,
            "minted": len(batch.minted),
            "remaining": batch.remaining,
            "failed": sum(unit.idle and bool(unit.failure) for unit in batch.units.values()),
        }

    def tell(
        self, before: TrackedBatch | None, after: TrackedBatch, recorded: Recorded
    ) -> tuple[str, dict[str, Any]] | None:
        return None if _progress(before) == _progress(after) else (self.type, self.show(after))


@dataclass(frozen=True, slots=True)
class Balance:
    """What a pass has of one asset, in whole credits; `held` is part of `amount`."""

    pass_id: str
    asset: str
    amount: int = 0
    held: int = 0

    @property
    def shown(self) -> dict[str, Any]:
        """Matcha that is held is not there to be spent, which a client has to know."""
        told = {"asset": self.asset, "balance": self.amount}
        return told | ({"available": self.amount - self.held} if self.asset == MATCHA else {})


class CreditBalances(Announcer[Balance]):
    """A balance of nought is not shown, so that those of a pass that was merged away are not.
    Matcha that is held or freed is told, too: what is available changes, the balance by nothing."""

    kind = "credits"
    type = "credits:changed"
    topics = topics_of(CreditEvent, MatchaEvent)
    state = Balance

    def key(self, event: Any) -> str:
        return f"{_whose(event)}/{event.meta['asset']}"

    def fold(self, state: Balance | None, recorded: Recorded) -> Balance:
        event = recorded.event
        assert isinstance(event, CreditEvent | MatchaEvent)
        balance = state or Balance(_whose(event), str(event.meta["asset"]))
        amount, held = int(event.meta["delta"]), int(event.meta["held"])
        return replace(balance, amount=balance.amount + amount, held=balance.held + held)

    def owner(self, state: Balance) -> str:
        return state.pass_id

    def show(self, state: Balance) -> dict[str, Any] | None:
        return state.shown if state.amount else None

    def tell(
        self, before: Balance | None, after: Balance, recorded: Recorded
    ) -> tuple[str, dict[str, Any]] | None:
        known = before or Balance(after.pass_id, after.asset)
        told = {**after.shown, "delta": after.amount - known.amount}
        return None if known.shown == after.shown else (self.type, told)


def all_announcers() -> tuple[Announcer[Any], ...]:
    return (
        CharacterStates(),
        GeopletStates(),
        BatchProgress(),
        CreditBalances(),
        LevelStates(),
        GenerationMessages(),
    )


def _whose(event: CreditEvent | MatchaEvent) -> str:
    return event.account_id if isinstance(event, CreditEvent) else event.pass_id


def _ui(card: Card | None) -> str:
    order = card.order if card else None
    image = card.character.image_status if card else ""
    return mint_ui_state(order.status if order else None, image)


def _progress(tracked: TrackedBatch | None) -> tuple[str, int, int] | None:
    batch = tracked.batch if tracked else None
    return (batch.status, len(batch.minted), batch.remaining) if batch else None
