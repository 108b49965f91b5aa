"""GET /api/payment-tracking: whose it is, its shapes, and what it was (seed 004, endpoint 2)."""

from __future__ import annotations

import pytest

from commands.passes import Identify
from domain.geoplet_view import SHOWN_FOR
from tests.api.geoplets import Buyer, buyer, later, refused
from tests.api.living import Caller, Living

ROOT = "/api/payment-tracking"
NOTHING = {"status": None, "canResume": False}
TX = "0x" + "5e" * 32


@pytest.fixture
async def service(here: Living) -> Caller:
    return await here.caller("service")


def path(payer: Buyer, kind: str = "mint", more: str = "") -> str:
    return f"{ROOT}/{payer.fid}/{kind}{more}"


async def settled(payer: Buyer) -> str:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    await payer.land(header)
    return header


@pytest.mark.parametrize("fid", ["0", "-1", "one", "9" * 19, "0" * 19 + "1" * 30, "1" * 5000])
async def test_what_is_no_fid_is_refused(service: Caller, fid: str) -> None:
    assert refused(await service.get(f"{ROOT}/{fid}/mint")) == (400, "INVALID_REQUEST")


async def test_a_question_that_is_no_text_is_refused_as_every_question(service: Caller) -> None:
    answer = await service.ask("GET", f"{ROOT}/1/mint?as_of=%00")
    assert refused(answer) == (422, "INVALID_REQUEST")


async def test_what_was_never_paid_is_nothing(payer: Buyer) -> None:
    assert await payer.tracking() == NOTHING


async def test_a_verified_payment_has_every_member_of_the_seed(payer: Buyer) -> None:
    header = payer.header()
    given = (await payer.sign(header)).json()
    assert await payer.tracking() == {
        "status": "verified",
        "mintVoucher": given["voucher"],
        "mintSignature": given["signature"],
        "paymentHeader": header,
        "settlementTxHash": None,
        "expiresAt": given["expiresAt"],
        "canResume": False,
        "isExpired": False,
        "recovery": {
            "action": "settle",
            "until": given["expiresAt"],
            "case_id": None,
            "reason": None,
        },
    }


async def test_a_closed_page_is_resumed_from_what_is_shown(here: Living, payer: Buyer) -> None:
    header = payer.header()
    given = (await payer.sign(header)).json()
    await payer.settled(header)
    body = await payer.tracking()
    assert (body["status"], body["canResume"], body["paymentHeader"]) == ("settled", True, None)
    assert (body["mintVoucher"], body["mintSignature"]) == (given["voucher"], given["signature"])
    await payer.mint()
    assert (await payer.tracking())["status"] == "minted"
    await later(here, SHOWN_FOR)
    assert await payer.tracking() == NOTHING


async def test_it_is_the_owners_and_a_services_and_nobody_elses(
    here: Living, service: Caller, payer: Buyer
) -> None:
    header, eve = payer.header(), await buyer(here)
    await payer.sign(header)
    assert refused(await eve.caller.get(path(payer))) == (404, "NOT_FOUND")
    assert (await here.nobody().get(path(payer))).status_code == 401
    assert (await eve.caller.get(f"{ROOT}/{2**62}/mint")).status_code == 404
    seen = (await service.get(path(payer))).json()
    assert (seen["status"], seen["paymentHeader"]) == ("verified", None)
    assert (await service.get(f"{ROOT}/{2**62}/mint")).json() == NOTHING


@pytest.mark.parametrize("scope", ["service", "user service", "auditor", "user auditor", "admin"])
async def test_the_payment_header_is_its_payers_alone(
    here: Living, payer: Buyer, scope: str
) -> None:
    header = payer.header()
    await payer.sign(header)
    answer = await (await here.caller(scope)).get(path(payer))
    assert answer.status_code == 200
    assert answer.json()["paymentHeader"] is None
    assert header not in answer.text
    own = here.known(payer.caller.pass_id, f"user {scope}")
    assert (await own.get(path(payer))).json()["paymentHeader"] == header


@pytest.mark.parametrize("fid", ["0", "-1", "x", "1.5", "%20", "9" * 30, "１"])
async def test_a_malformed_key_is_400(payer: Buyer, fid: str) -> None:
    for method, more, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("PATCH", "/settle", {"settlementTxHash": TX}),
        ("PATCH", "/mint", {"mintTxHash": TX}),
    ):
        answer = await payer.caller.ask(method, f"{ROOT}/{fid}/mint{more}", json=body)
        assert refused(answer) == (400, "INVALID_REQUEST")
        wrong = f"{ROOT}/{payer.fid}/upgrade{more}"
        answer = await payer.caller.ask(method, wrong, json=body)
        assert refused(answer) == (400, "INVALID_REQUEST")


async def test_a_write_is_read_at_once(here: Living, payer: Buyer) -> None:
    answer = await payer.sign(payer.header())
    position = answer.headers["X-Ledger-Position"]
    assert (await payer.tracking(min_position=position))["status"] == "verified"
    behind = await payer.caller.get(path(payer), min_position=await here.position() + 1_000)
    assert refused(behind) == (503, "PROJECTION_BEHIND")


async def test_it_is_shown_as_it_was(here: Living, payer: Buyer) -> None:
    born = await here.position()
    header = payer.header()
    verified = int((await payer.sign(header)).headers["X-Ledger-Position"])
    await payer.settled(header)
    auditor = await here.caller("auditor")
    for caller in (payer.caller, auditor):
        then = (await caller.get(path(payer), as_of=verified)).json()
        assert then["status"] == "verified"
        assert (await caller.get(path(payer), as_of=2**62)).json()["status"] == "settled"
        assert refused(await caller.get(path(payer), as_of=born)) == (404, "NOT_FOUND")
        zone = await caller.get(path(payer), as_of="2030-01-01T00:00:00")
        assert refused(zone) == (422, "INVALID_REQUEST")
    eve = await buyer(here)
    assert refused(await eve.caller.get(path(payer), as_of=verified)) == (404, "NOT_FOUND")


# Whose fid it is.


async def test_a_pass_that_signed_in_with_farcaster_pays_after_linking_a_wallet(
    here: Living,
) -> None:
    made = await buyer(here)
    identity = f"fid:{made.fid + 500_000}"
    found = await here.do(Identify(identity=identity, new_pass_id=f"pass:user:{identity}"))
    caster = Buyer(here, here.known(found.answer.body["pass_id"]), made.account, made.fid + 500_000)
    assert refused(await caster.sign()) == (402, "PAYMENT_VERIFICATION_FAILED")
    wallet = f"eip155:{made.wallet}"
    await here.do(
        Identify(identity=wallet, new_pass_id=caster.caller.pass_id, current=caster.caller.pass_id)
    )
    assert (await caster.sign(caster.header())).status_code == 200


async def test_a_merged_pass_keeps_what_it_paid_under_both_tokens(here: Living) -> None:
    older, younger = await here.caller(), await buyer(here)
    header = await settled(younger)
    await here.do(
        Identify(
            identity=f"fid:{younger.fid}",
            new_pass_id=younger.caller.pass_id,
            current=older.pass_id,
        )
    )
    await here.shown()
    await here.parts.directory.refresh()
    for caller in (older, younger.caller):
        body = (await caller.get(path(younger))).json()
        assert (body["status"], body["canResume"]) == ("settled", True)
    as_older = Buyer(here, here.known(older.pass_id), younger.account, younger.fid)
    assert (await as_older.settle(header)).json()["settled"] is True
    assert (await as_older.sign()).status_code == 200
