"""Passes that are merged are one person: with one level, one token, and one voice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from commands.cases import Compensate
from commands.passes import Identify, OpenPass
from commands.request_upgrade import Minting, RequestUpgrade
from commands.upgrades import ConfirmBurn, LapseAttempt, RecordLevel
from domain.levels import Badge, Record
from domain.solana import Absence, Prepared, TokenFound
from domain.upgrade import Upgrade
from domain.upgrade_events import upgrade_stream
from domain.upgrade_refusals import SecondPersonRequired
from tests.commands.memory import Memory

OLD, YOUNG = "pass:user:old", "pass:user:young"
BADGES = ("b1", "b2")


def minting(id_: str) -> Minting:
    return Minting(
        mint=f"mint-{id_}",
        metadata=lambda level: (f'{{"level":{level}}}', f"cid-{id_}-{level}"),
        prepare=lambda terms: Prepared("message", "raw", "", "hash", 150),
    )


def request(
    memory: Memory, who: str, kind: str, id_: str, badges: Sequence[str] = ()
) -> RequestUpgrade:
    return RequestUpgrade(
        asked_by=who,
        kind=kind,
        recipe="nft_unlock" if kind == "unlock" else "nft_upgrade",
        upgrade_id=id_,
        record=Record(Decimal(600_000), tuple(Badge(each, each) for each in badges)),
        minting=minting(id_),
        expires_at=memory.now + timedelta(seconds=45),
    )


def minted(memory: Memory, owner: str, id_: str, level: int) -> None:
    token = TokenFound(f"mint-{id_}", "", 0, 5)
    said = {"level": level, "cid": f"cid-{id_}-{level}", "signature": "mint-sig"}
    memory.do(RecordLevel(owner=owner, upgrade_id=id_, token=token, **said))


def burned(memory: Memory, owner: str, mint: str, named: str) -> None:
    said = {"burned_by": wallet_of(owner), "signature": "burn-sig", "slot": 9, "named": named}
    memory.do(ConfirmBurn(owner=owner, mint=mint, **said))


def wallet_of(owner: str) -> str:
    return f"wallet-of-{owner.rpartition(':')[2]}"


def upgrade_of(memory: Memory, owner: str) -> Upgrade:
    known: Upgrade = memory.state(upgrade_stream(owner))
    return known


@pytest.fixture
def memory() -> Memory:
    """Two passes, the older one and a younger one, each with a wallet."""
    made = Memory()
    for owner in (OLD, YOUNG):
        made.do(OpenPass(new_pass_id=owner, identities=(f"solana:{wallet_of(owner)}",)))
        made.later(1)
    return made


def merge(memory: Memory) -> None:
    proof = f"solana:{wallet_of(YOUNG)}"
    memory.do(Identify(identity=proof, new_pass_id="pass:user:any", current=OLD))


def test_a_request_on_its_way_does_not_outlive_a_merge(memory: Memory) -> None:
    late = request(memory, YOUNG, "unlock", "u1")
    seen = memory.look(late)
    written = {event.stream for event in late.decide(seen, memory.now)}
    versions = {stream: seen.version(stream) for stream in written}
    merge(memory)
    moved = {stream for stream in written if len(memory.streams[stream]) != versions[stream]}
    assert moved == {YOUNG}, "an append with these versions is refused, and decided anew"


def test_of_two_tokens_the_higher_goes_on_and_the_other_is_reviewed(memory: Memory) -> None:
    for owner, id_ in ((OLD, "t1"), (YOUNG, "t2")):
        memory.do(request(memory, owner, "unlock", id_))
        minted(memory, owner, id_, 1)
    merge(memory)
    reviews = upgrade_of(memory, YOUNG).reviews
    assert [(each.kind, each.mint) for each in reviews.values()] == [("second_token", "mint-t2")]
    assert not upgrade_of(memory, OLD).reviews


def test_a_late_burn_counts_for_nothing_when_the_pass_goes_on_by_another_name(
    memory: Memory,
) -> None:
    for owner, id_ in ((OLD, "t1"), (YOUNG, "t2")):
        memory.do(request(memory, owner, "unlock", id_))
        minted(memory, owner, id_, 1)
    memory.do(request(memory, YOUNG, "upgrade", "late", BADGES))
    proof = Absence("", 151, 160)
    memory.do(LapseAttempt(owner=YOUNG, upgrade_id="late", proof=proof))
    merge(memory)
    memory.do(request(memory, OLD, "upgrade", "a2", BADGES))
    burned(memory, OLD, "mint-t1", "a2")
    burned(memory, YOUNG, "mint-t2", "late")
    young = upgrade_of(memory, YOUNG)
    assert upgrade_of(memory, OLD).recovery is not None
    assert (young.recovery, young.token, young.taken_badges) == (None, None, frozenset())


def test_two_names_of_one_person_are_not_two_people(memory: Memory) -> None:
    owner = "pass:user:ada"
    memory.do(OpenPass(new_pass_id=owner, identities=(f"solana:{wallet_of(owner)}",)))
    memory.do(request(memory, owner, "unlock", "u1"))
    minted(memory, owner, "u1", 1)
    memory.do(request(memory, owner, "upgrade", "u2", BADGES))
    burned(memory, owner, "mint-u1", "u2")

    def wanted_by(name: str) -> Compensate:
        said = {"level": 5, "reason": "the node is down", "metadata": minting("u2").metadata}
        return Compensate(owner=owner, upgrade_id="u2", by=name, **said)

    memory.do(wanted_by(YOUNG))
    merge(memory)
    with pytest.raises(SecondPersonRequired):
        memory.do(wanted_by(OLD))
    assert memory.do(wanted_by("pass:user:ben"))["state"] == "approved"
