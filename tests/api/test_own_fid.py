"""Whose a fid is: by the ledger, at once, through merges; a service may name any."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from api.owners import identities_of, own_fid
from api.principal import Principal
from api.problems import NotFound
from commands.passes import Identify
from tests.api.living import Caller, Living


def request_to(here: Living) -> Request:
    return Request({"type": "http", "method": "GET", "app": here.app})


def principal(here: Living, caller: Caller, scope: str = "user") -> Principal:
    said = here.parts.tokens.issue(caller.pass_id, scope)
    return here.parts.directory.principal(here.parts.tokens.verify(said))


async def proven(here: Living, identity: str, **linked: Any) -> None:
    await here.do(Identify(identity=identity, new_pass_id=f"pass:user:{identity}", **linked))


async def owns(here: Living, who: Principal, fid: int) -> bool:
    try:
        await own_fid(request_to(here), who, fid)
    except NotFound:
        return False
    return True


async def test_a_fid_is_ones_own_from_the_moment_it_is_linked(here: Living, ada: Caller) -> None:
    who = principal(here, ada)
    assert not await owns(here, who, 112)
    await proven(here, "fid:112", current=ada.pass_id)
    assert await owns(here, who, 112)
    assert await identities_of(request_to(here), who) == {f"eip155:{ada.wallet}", "fid:112"}
    for other in (11, 12, 1121):
        assert not await owns(here, who, other)


async def test_what_a_merge_brings_is_ones_own_for_tokens_of_both(here: Living) -> None:
    """Also for a principal from before the merge, whose pass is the one that ended."""
    await proven(here, "fid:113")
    ada = await here.caller()
    before = principal(here, ada)
    await proven(here, "fid:113", current=ada.pass_id)
    older = principal(here, here.known("pass:user:fid:113"))
    for who in (before, older):
        assert await owns(here, who, 113)
        assert await identities_of(request_to(here), who) == {"fid:113", f"eip155:{ada.wallet}"}


async def test_the_fid_of_another_is_not_there(here: Living, ada: Caller) -> None:
    await proven(here, "fid:114")
    assert not await owns(here, principal(here, ada), 114)
    assert await identities_of(request_to(here), principal(here, ada)) == {f"eip155:{ada.wallet}"}


async def test_a_service_may_name_any_fid_and_nobody_else(here: Living, ada: Caller) -> None:
    assert await owns(here, principal(here, ada, "service"), 5)
    for scope in ("user", "auditor", "admin"):
        assert not await owns(here, principal(here, ada, scope), 5)


async def test_a_pass_that_nobody_opened_has_no_identity(here: Living) -> None:
    nobody = principal(here, here.known("pass:user:nobody-ever"))
    assert await identities_of(request_to(here), nobody) == frozenset()


async def test_asking_records_nothing(here: Living, ada: Caller) -> None:
    before = await here.position()
    await identities_of(request_to(here), principal(here, ada))
    assert await here.position() == before
