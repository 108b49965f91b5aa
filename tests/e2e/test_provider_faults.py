"""An image provider that is busy, broken, silent or unwilling; never a second payment.

How each fault is named is `providers.md` §0 and §2; who tries again depends on the name alone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contracts.chain import PRICE
from tests.e2e.buyer import Buyer, Json
from tests.e2e.facts import Fact
from tests.waiting import eventually


def error(code: str) -> Json:
    return {"error": {"code": code, "message": "said the provider", "param": "", "type": "x"}}


def answers(status: int, body: Json, **headers: str) -> Json:
    return {"response": {"status": status, "body": body, "headers": headers}}


@dataclass(frozen=True)
class Fault:
    """What the provider does once, and its class. `lost`: it made a picture that never arrived."""

    script: Json
    error_class: str
    lost: int = 0


BUSY = answers(429, error("RateLimitExceeded.EndpointIPMExceeded"), **{"retry-after": "1"})
OVERLOADED = answers(200, {"data": [error("ServerOverloaded")]})
TRIED_AGAIN = {
    "429": Fault(BUSY, "throttled"),
    "500": Fault(answers(500, error("InternalServiceError")), "transient"),
    "200 with an error inside": Fault(OVERLOADED, "transient"),
    "a truncated body": Fault({"truncate_body_at": 2_000}, "transient", lost=1),
}
LEFT_TO_THE_PASS = {
    "a refused picture": Fault(
        answers(400, error("OutputImageSensitiveContentDetected")), "refused"
    ),
    "a refusal in a 200": Fault(
        answers(200, {"data": [error("SensitiveContentDetected.Violence")]}), "refused"
    ),
    "a request it does not take": Fault(answers(400, error("InvalidParameter")), "invalid"),
}
OFFERED_AND_TRIED = {
    "an overdue account": Fault(answers(403, error("AccountOverdueError")), "quota"),
    "an answer that never came": Fault({"drop": "after_effect"}, "unknown", lost=1),
    "a 504": Fault(answers(504, {}), "unknown"),
}


class Story:
    """A paid character whose first image meets a fault."""

    def __init__(self, buyer: Buyer, *faults: Json) -> None:
        self.buyer, self.facts, self.twin = buyer, buyer.stage.facts, buyer.stage.twin
        self.card, self.order = buyer.buys()
        self.billed = len(self.twin.billed())
        for fault in faults:
            self.twin.script(match={"path": "/images/generations"}, **fault)
        buyer.claim(self.order, buyer.pay(self.order))

    def failures(self) -> list[Fact]:
        events = self.facts.events(self.card["id"])
        return [fact for fact in events if fact.name == "generation_failed"]

    def failed(self, times: int = 1) -> tuple[dict[str, Any], Json]:
        """The latest failure, and what the card showed right after it."""
        found = eventually(lambda: len(self.failures()) >= times and self.failures()[times - 1])
        assert isinstance(found, Fact)
        return found.data, self.buyer.get(f"/characters/{self.card['id']}", as_of=found.position)

    def ends(self, *, billed: int, attempts: int) -> None:
        """One payment, one mint, one image, after so many attempts."""
        self.buyer.gets(self.card)
        assert len(self.twin.billed()) - self.billed == billed
        assert self.facts.count(self.card["id"], "generation_requested") == attempts
        assert self.facts.count(self.card["id"], "payment_settled") == 1


@pytest.mark.parametrize("name", TRIED_AGAIN)
def test_what_passes_by_itself_is_tried_again_without_the_pass(buyer: Buyer, name: str) -> None:
    fault = TRIED_AGAIN[name]
    story = Story(buyer, fault.script)
    failure, shown = story.failed()
    assert failure["error_class"] == fault.error_class and failure["retry_at"]
    assert (shown["mint_ui_state"], shown["next_action"]) == ("generating", "wait")
    assert shown["mint_paid"] and not shown["will_charge"]
    assert buyer.retry_image(story.card, status=409)["code"] == "NOT_OFFERED"
    story.ends(billed=1 + fault.lost, attempts=2)


@pytest.mark.parametrize("name", LEFT_TO_THE_PASS)
def test_what_would_fail_again_waits_for_the_pass(buyer: Buyer, name: str) -> None:
    fault = LEFT_TO_THE_PASS[name]
    story = Story(buyer, fault.script)
    failure, shown = story.failed()
    assert failure["error_class"] == fault.error_class and failure["retry_at"] is None
    assert (shown["mint_ui_state"], shown["image_status"]) == ("retry_generation", "failed")
    assert shown["next_action"] == "retry_generation" and not shown["will_charge"]
    assert buyer.statement() == {"paid": PRICE, "in_flight": PRICE}
    assert [card["mint_ui_state"] for card in buyer.cards()] == ["retry_generation"]
    asked = buyer.retry_image(story.card)
    assert asked["mint_ui_state"] == "generating" and not asked["will_charge"]
    story.ends(billed=1, attempts=2)


@pytest.mark.parametrize("name", OFFERED_AND_TRIED)
def test_what_may_last_is_offered_to_the_pass_and_tried_all_the_same(
    buyer: Buyer, name: str
) -> None:
    fault = OFFERED_AND_TRIED[name]
    story = Story(buyer, fault.script)
    failure, shown = story.failed()
    assert failure["error_class"] == fault.error_class and failure["retry_at"]
    assert shown["next_action"] == "retry_generation" and not shown["will_charge"]
    story.ends(billed=1 + fault.lost, attempts=2)


def test_a_retry_of_the_pass_and_one_of_ours_buy_one_picture(buyer: Buyer) -> None:
    slow = {"delay_ms": 700}
    story = Story(buyer, answers(403, error("AccountOverdueError")), slow)
    story.failed()
    path = f"/characters/{story.card['id']}/retry-generation"

    def ask(_: int) -> int:
        return buyer.ask("POST", path, json={}).status_code

    with ThreadPoolExecutor(8) as many:
        statuses = list(many.map(ask, range(24)))
    assert set(statuses) <= {202, 409}, statuses
    story.ends(billed=1, attempts=2)


def test_a_slow_picture_is_waited_for_and_bought_once(buyer: Buyer) -> None:
    story = Story(buyer, {"delay_ms": 4_000})
    shown = buyer.until(story.card, image_status="generating")
    assert shown["next_action"] == "wait" and not shown["will_charge"]
    buyer.retry_image(story.card, status=409)
    story.ends(billed=1, attempts=1)


def test_after_three_quick_failures_the_pass_may_ask_as_well(buyer: Buyer) -> None:
    story = Story(buyer, *[answers(500, error("InternalServiceError"))] * 3)
    shown = [story.failed(times)[1]["next_action"] for times in (1, 2, 3)]
    assert shown == ["wait", "wait", "retry_generation"]
    buyer.retry_image(story.card)
    story.ends(billed=1, attempts=4)


def test_a_finished_image_is_not_made_again(buyer: Buyer) -> None:
    story = Story(buyer)
    story.ends(billed=1, attempts=1)
    assert buyer.retry_image(story.card, status=409)["code"] == "NOT_OFFERED"
    story.ends(billed=1, attempts=1)
