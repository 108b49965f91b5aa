"""Cases of level tokens: compensated by two, tried again at once, resolved by hand."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import psycopg
import pytest

from commands.upgrades import Correct
from projections.upgrade_cases import owed_case, review_case, support_case
from tests.api.climbers import Climber, climber
from tests.api.geoplets import refused
from tests.api.living import Caller, Living

WANTED = {"level": 3, "reason": "a day of outage"}
BECAUSE = {"reason": "spoke to them"}


@pytest.fixture
async def ada(here: Living) -> Climber:
    return await climber(here, "600000", "early-bird", "whale")


@pytest.fixture
def ann(here: Living) -> Caller:
    return here.known("pass:user:ann", "admin")


@pytest.fixture
def bob(here: Living) -> Caller:
    return here.known("pass:user:bob", "admin")


async def act(
    who: Caller, case: str, what: str, body: dict[str, Any], **headers: str
) -> httpx.Response:
    return await who.post(f"/admin/recoveries/{case}/{what}", body, **headers)


async def case_of(here: Living, who: Caller, case: str) -> dict[str, Any] | None:
    """Among those that are open."""
    position = await here.position()
    listed = await who.get("/admin/recoveries", min_position=position, limit=100)
    assert listed.status_code == 200, listed.text
    known = (each for each in listed.json()["items"] if each["id"] == case)
    return next((each for each in known if each["state"] == "open"), None)


async def test_a_token_that_is_owed_is_a_case_from_the_burn_to_the_mint(
    here: Living, ada: Climber, ann: Caller
) -> None:
    id_ = await ada.owed()
    case = await case_of(here, ann, owed_case(id_))
    assert case and case.pop("opened_at").endswith("Z")
    facts = case.pop("facts")
    assert (facts["wallet"], facts["tx"]) == (ada.wallet, f"burn-{id_}")
    assert case == {
        "id": owed_case(id_),
        "kind": "burned_not_minted",
        "stream": f"upgrade:{ada.caller.pass_id}",
        "pass_id": ada.caller.pass_id,
        "state": "open",
        "attempts": 0,
        "next_try_at": None,
    }
    await ada.fail_mint(id_, 2)
    case = await case_of(here, ann, owed_case(id_))
    assert case and (case["attempts"], case["next_try_at"][-1]) == (2, "Z")
    await ada.mint(id_)
    assert await case_of(here, ann, owed_case(id_)) is None


async def test_two_people_who_want_the_same_compensate(
    here: Living, ada: Climber, ann: Caller, bob: Caller
) -> None:
    id_ = await ada.owed()
    await here.shown()
    first = await act(ann, owed_case(id_), "compensate", WANTED)
    proposed = {"upgrade_id": id_, "state": "proposed", "level": 3, "approved_by": None}
    assert (first.status_code, first.json()) == (202, {**proposed, "proposed_by": ann.pass_id})
    assert (await ada.attempt(id_)).level == 2
    again = await act(ann, owed_case(id_), "compensate", WANTED)
    assert refused(again) == (409, "SECOND_PERSON_REQUIRED")
    second = await act(bob, owed_case(id_), "compensate", WANTED)
    approved = {"upgrade_id": id_, "state": "approved", "level": 3}
    by = {"proposed_by": ann.pass_id, "approved_by": bob.pass_id}
    assert (second.status_code, second.json()) == (202, {**approved, **by})
    await ada.mint(id_)
    shown = await ada.status()
    assert (shown["level"], shown["upgrade"]) == (3, None)
    position = await here.position()
    told = (await ada.caller.get(f"/api/nft/upgrades/{id_}", min_position=position)).json()
    assert (told["state"], told["level"]) == ("compensated", 3)


async def test_another_level_by_a_second_person_is_a_proposal_of_their_own(
    here: Living, ada: Climber, ann: Caller, bob: Caller
) -> None:
    case = owed_case(await ada.owed())
    await here.shown()
    await act(ann, case, "compensate", WANTED)
    other = await act(bob, case, "compensate", {**WANTED, "level": 4})
    assert (other.json()["state"], other.json()["proposed_by"]) == ("proposed", bob.pass_id)
    agreed = await act(ann, case, "compensate", {**WANTED, "level": 4})
    assert (agreed.json()["state"], agreed.json()["level"]) == ("approved", 4)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"level": 1, "reason": "less"}, "LEVEL_TOO_LOW"),
        ({"level": 6, "reason": "more than there is"}, "LEVEL_UNKNOWN"),
        ({"level": 0, "reason": "none"}, "INVALID_REQUEST"),
        ({"level": 21, "reason": "too many"}, "INVALID_REQUEST"),
        ({"level": "3", "reason": "text"}, "INVALID_REQUEST"),
        ({"level": 3, "reason": ""}, "INVALID_REQUEST"),
        ({"level": 3}, "INVALID_REQUEST"),
        ({"level": 3, "reason": "x" * 1001}, "INVALID_REQUEST"),
        ({"level": 3, "reason": "why", "by": "somebody"}, "INVALID_REQUEST"),
    ],
    ids=str,
)
async def test_what_is_no_compensation_is_refused(
    here: Living, owed: str, ann: Caller, body: dict[str, Any], code: str
) -> None:
    assert refused(await act(ann, owed, "compensate", body)) == (422, code)


@pytest.fixture(scope="module")
async def owed(here: Living) -> str:
    """A case that stays open."""
    id_ = await (await climber(here, "600000", "early-bird", "whale")).owed()
    await here.shown()
    return owed_case(id_)


async def test_a_case_that_is_closed_or_of_another_kind_takes_no_compensation(
    here: Living, ada: Climber, ann: Caller
) -> None:
    id_ = await ada.owed()
    await here.shown()
    await ada.mint(id_)
    await here.shown()
    assert refused(await act(ann, owed_case(id_), "compensate", WANTED)) == (409, "NOTHING_OWED")
    assert refused(await act(ann, owed_case(id_), "retry", {})) == (409, "NOTHING_OWED")
    next_one = await sent_away(ada)
    await here.shown()
    for what, body in (("compensate", WANTED), ("retry", {})):
        assert refused(await act(ann, next_one, what, body)) == (409, "NOT_DECIDED_SO")


async def sent_away(who: Climber) -> str:
    """Their token is in another wallet; the case."""
    token = (await who.upgrade()).token
    assert token
    found = {"field": "owner", "ledger_value": token.owner, "chain_value": "mallory", "slot": 90}
    about = {"owner": who.caller.pass_id, "upgrade_id": token.upgrade_id, "mint": token.mint}
    await who.here.do(Correct(**about, **found, kind="sent_away", review=True))
    return review_case(token.mint)


async def test_an_operator_need_not_wait_for_the_next_try(
    here: Living, ada: Climber, ann: Caller
) -> None:
    id_ = await ada.owed()
    await ada.fail_mint(id_)
    case = await case_of(here, ann, owed_case(id_))
    assert case and case["next_try_at"]
    answer = await act(ann, owed_case(id_), "retry", {})
    assert (answer.status_code, answer.json()) == (202, {"upgrade_id": id_, "state": "recovery"})
    assert (await ada.attempt(id_)).retry_at is None
    case = await case_of(here, ann, owed_case(id_))
    assert case and case["next_try_at"] is None
    assert (await act(ann, owed_case(id_), "retry", {})).status_code == 202


async def test_a_conflict_is_resolved_by_who_has_seen_to_it(
    here: Living, ada: Climber, ann: Caller
) -> None:
    await ada.unlocked()
    case = await sent_away(ada)
    known = await case_of(here, ann, case)
    assert known and (known["kind"], known["state"]) == ("sent_away", "open")
    assert known["facts"]["chain"] == "mallory"
    assert (await ada.status())["level"] == 0
    assert refused(await ada.ask("unlock"))[0] == 409
    answer = await act(ann, case, "resolve", BECAUSE)
    assert (answer.status_code, answer.json()) == (202, {"state": "resolved"})
    assert await case_of(here, ann, case) is None
    assert refused(await act(ann, case, "resolve", BECAUSE)) == (409, "NOTHING_OWED")
    assert (await ada.ask("unlock")).status_code == 200


async def test_a_failure_nobody_could_explain_is_a_case_for_support(
    here: Living, ada: Climber, ann: Caller
) -> None:
    id_ = (await ada.asked("unlock"))["upgrade_id"]
    await ada.fail(id_, "SUPPORT", "custom program error: 0x9")
    case = await case_of(here, ann, support_case(id_))
    assert case and (case["kind"], case["facts"]["reason"]) == (
        "upgrade_failed",
        "custom program error: 0x9",
    )
    assert (await act(ann, support_case(id_), "resolve", BECAUSE)).status_code == 202
    assert await case_of(here, ann, support_case(id_)) is None


async def test_what_landed_after_all_needs_no_support(
    here: Living, ada: Climber, ann: Caller
) -> None:
    id_ = (await ada.asked("unlock"))["upgrade_id"]
    await ada.fail(id_, "SUPPORT", "custom program error: 0x9")
    assert await case_of(here, ann, support_case(id_))
    await ada.mint(id_)
    assert await case_of(here, ann, support_case(id_)) is None


async def test_what_is_owed_is_never_closed_by_hand(owed: str, ann: Caller) -> None:
    assert refused(await act(ann, owed, "resolve", BECAUSE)) == (409, "NOT_DECIDED_SO")


async def test_a_case_that_is_not_there_is_said_before_its_body(
    here: Living, owed: str, ann: Caller
) -> None:
    user, auditor = await here.caller(), await here.caller("auditor")
    for what in ("compensate", "retry", "resolve"):
        path = f"/admin/recoveries/owed:7e57/{what}"
        answer = await ann.ask("POST", path, content=b"{broken")
        assert refused(answer) == (404, "NOT_FOUND")
        answer = await here.nobody().ask("POST", path, content=b"{broken")
        assert refused(answer) == (401, "UNAUTHENTICATED")
        for who in (user, auditor):
            answer = await who.ask("POST", path, content=b"{broken")
            assert refused(answer) == (403, "FORBIDDEN")
        broken = await ann.ask("POST", f"/admin/recoveries/{owed}/{what}", content=b"{broken")
        assert refused(broken) == (422, "INVALID_REQUEST")


async def test_a_key_gives_the_first_answer_again(
    here: Living, ada: Climber, ann: Caller, bob: Caller
) -> None:
    case, key = owed_case(await ada.owed()), secrets.token_hex(8)
    await here.shown()
    first = await act(ann, case, "compensate", WANTED, Idempotency_Key=key)
    again = await act(ann, case, "compensate", WANTED, Idempotency_Key=key)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await act(ann, case, "compensate", {**WANTED, "level": 4}, Idempotency_Key=key)
    assert refused(other) == (422, "IDEMPOTENCY_KEY_REUSED")
    second = await act(bob, case, "compensate", WANTED, Idempotency_Key=key)
    assert second.json()["state"] == "approved", "a key is of one person"


async def test_every_call_of_an_operator_leaves_a_row(here: Living, owed: str, ann: Caller) -> None:
    root = here.known("pass:user:rooted", "admin")
    await act(root, owed, "compensate", {"level": 1, "reason": "less"})
    await act(root, "owed:7e57", "retry", {})
    with psycopg.connect(here.parts.settings.database) as connection:
        rows = connection.execute(
            "SELECT mg_value->>'path' FROM mega_admin WHERE mg_pass_id = 'pass:user:rooted'"
            " AND mg_record_type = 'admin_audit' ORDER BY mg_created_at"
        ).fetchall()
    expected = [f"/admin/recoveries/{owed}/compensate", "/admin/recoveries/owed:7e57/retry"]
    assert [path for (path,) in rows] == expected
