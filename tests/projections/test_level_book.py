"""A token that was burned is in flight until the next one is minted, then delivered."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.upgrade_events import BurnConfirmed, LevelMinted, UpgradeEvent
from ledger.codec import Recorded
from projections.statement import make_statement

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
IDS = {"pass_id": "pass:user:ada", "upgrade_id": "up-1"}
BURNED = BurnConfirmed(**IDS, mint="old", owner="wallet", signature="burn", slot=7)
MINTED = LevelMinted(
    **IDS,
    recipe="nft_upgrade",
    level=2,
    mint="new",
    owner="wallet",
    cid="bafk",
    signature="mint",
    slot=9,
    compensation=False,
)
UNLOCKED = LevelMinted(
    pass_id="pass:user:ada",
    upgrade_id="up-0",
    recipe="nft_unlock",
    level=1,
    mint="old",
    owner="wallet",
    cid="bafk",
    signature="unlock",
    slot=5,
    compensation=False,
)


def statement_of(*events: UpgradeEvent) -> dict[str, dict[str, str]]:
    history = [
        Recorded(n, event.stream, n, event.TOPIC, AT, event, {})
        for n, event in enumerate(events, 1)
    ]
    told = make_statement("pass:user:ada", history, position=9, head_hash="")
    return {
        asset: {name: amount for name, amount in sums.items() if amount != "0"}
        for asset, sums in told["assets"].items()
    }


def test_a_burned_token_is_in_flight_until_the_next_one_is_there():
    assert statement_of(UNLOCKED, BURNED) == {"LEVEL": {"paid": "1", "in_flight": "1"}}
    assert statement_of(UNLOCKED, BURNED, MINTED) == {"LEVEL": {"paid": "1", "delivered": "1"}}


def test_an_unlock_gives_nothing_up():
    assert statement_of(UNLOCKED) == {}
