"""Paid is always the sum of what became of it, whatever the chain and the images do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.character import Character, CharacterCreated, ImageStored
from domain.event import Event
from domain.order import Order
from domain.order_events import OrderOpened, TokenMinted
from domain.payment import Payment
from ledger.codec import Recorded
from projections.statement import OUTCOMES, make_statement

AT = datetime(2026, 1, 1, tzinfo=UTC)
OWN, PRICE, CONFIRMATIONS = "0xown", 100, 2
step = st.one_of(
    st.tuples(
        st.just("pay"),
        st.integers(1, 3),
        st.integers(1, 2),
        st.sampled_from([0, 40, PRICE, PRICE + 7]),
        st.sampled_from([OWN, "0xother"]),
        st.integers(1, 3),
    ),
    st.tuples(st.just("retract"), st.integers(1, 3), st.integers(1, 2)),
    st.tuples(st.sampled_from(["image", "token", "finalize"])),
)


def decided(order: Order, asked: tuple[object, ...]) -> list[Event]:
    match asked:
        case ("pay", int(tx), int(block), int(amount), str(payer), int(depth)):
            found = Payment(str(tx), payer, tx, block, f"b{block}", 0, payer, amount, None, depth)
            wallets = frozenset({OWN})
            return order.record_payment(found, confirmations=CONFIRMATIONS, wallets=wallets, at=AT)
        case ("retract", _, int(block)):
            return order.retract(f"b{block}", AT)
        case ("finalize",):
            return order.finalize(order.payment.block_hash) if order.payment else []
        case ("image",):
            size = {"bytes": 1, "width": 1, "height": 1, "attempt": 1}
            facts = {"output_url": "u", "sha256": "0", "content_type": "image/png"}
            return [ImageStored(character_id="c", **facts, **size)]
        case _:
            place = {"tx_hash": "m", "block_number": 9, "block_hash": "b9", "log_index": 0}
            ids = {"order_id": "o", "character_id": "c", "token_id": "1"}
            return order.final_mint.record(TokenMinted(**ids, **place))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["role_mint", "role_mint_final"]), st.lists(step, max_size=14))
def test_paid_is_the_sum_of_what_became_of_it(recipe: str, steps: list[tuple[object, ...]]) -> None:
    ids = {"order_id": "o", "character_id": "c", "pass_id": "pass:user:a", "recipe": recipe}
    terms = {"asset": "MPT", "amount": str(PRICE), "chain_id": 1, "contract": "", "token": ""}
    until = {"opened_block": 1, "expires_at": AT + timedelta(hours=1), "treasury": ""}
    born = CharacterCreated(character_id="c", pass_id="pass:user:a", role="r", kind="role")
    events: list[Event] = [born, OrderOpened(**ids, **terms, **until)]
    order = Order().evolve(events[1])
    for asked in steps:
        for event in decided(order, asked):
            events.append(event)
            order = order.evolve(event)
    history = [
        Recorded(n, event.stream, n, event.TOPIC, AT, event, {})
        for n, event in enumerate(events, start=1)
    ]
    said = make_statement("pass:user:a", history, position=len(history), head_hash="")
    for sums in said["assets"].values():
        counted = [int(sums[outcome]) for outcome in OUTCOMES]
        assert int(sums["paid"]) == sum(counted)
        assert min(counted) >= 0
    assert Character().evolve(born).created
