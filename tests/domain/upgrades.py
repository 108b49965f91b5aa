"""A pass on its way up the levels and what may happen to it, for the tests of Upgrade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain import upgrade_events as happened
from domain.compensation import Compensation, compensate
from domain.event import Event
from domain.solana import BLOCKHASH_LASTS, Absence, Prepared, TokenFound
from domain.upgrade import Upgrade
from domain.upgrade_attempt import Attempt
from tests.spec import NOON, Given

PASS, WALLET, STRANGER = "pass:user:ada", "ada-wallet", "mallory-wallet"
OVER = NOON + BLOCKHASH_LASTS
CAP = timedelta(seconds=30)
SIGNED = Prepared("bQ==", "cg==", "sig", "hash", 150)
ABSENT = Absence("", height=151, slot=160)
SLOT = 7


def asked(id_: str, recipe: happened.UpgradeRecipe, level: int, burns: str, *badges: str) -> Any:
    return happened.UpgradeRequested(
        **ids(id_),
        recipe=recipe,
        level=level,
        wallet=WALLET,
        mint=f"mint-{id_}",
        burns=burns,
        cid=f"cid-{id_}",
        metadata="{}",
        volume_usd="500000",
        required_volume_usd="100000",
        badges=badges,
        config_version=0,
        requested_at=NOON,
    )


def ids(id_: str) -> dict[str, str]:
    return {"pass_id": PASS, "upgrade_id": id_}


def window(id_: str) -> happened.UpgradePrepared:
    return happened.UpgradePrepared(
        **ids(id_),
        message="bQ==",
        raw="cg==",
        blockhash="hash",
        last_valid_height=150,
        expires_at=OVER,
    )


def submitted(id_: str, raw: str = "c2lnbmVk", signature: str = "wallet-sig") -> Any:
    return happened.UpgradeSubmitted(**ids(id_), raw=raw, signature=signature, submitted_at=NOON)


def failed(id_: str, kind: happened.ReasonClass = "ADD_SOL", reason: str = "no SOL") -> Any:
    return happened.UpgradeFailed(**ids(id_), reason_class=kind, reason=reason)


def lapsed(id_: str, height: int = 151, slot: int = 160) -> happened.UpgradeLapsed:
    return happened.UpgradeLapsed(**ids(id_), proof_height=height, proof_slot=slot)


IN_TIME = "it was not signed and sent in time"


def burned(id_: str, mint: str, signature: str = "burn-sig") -> happened.BurnConfirmed:
    return happened.BurnConfirmed(
        **ids(id_), mint=mint, owner=WALLET, signature=signature, slot=SLOT
    )


def signed(id_: str, number: int = 1, level: int = 2, cid: str = "") -> happened.LevelMintSigned:
    return happened.LevelMintSigned(
        **ids(id_),
        number=number,
        level=level,
        cid=cid or f"cid-{id_}",
        signature=f"mint-sig-{number}",
        raw="cg==",
        blockhash="hash",
        last_valid_height=150,
    )


def minted(
    id_: str, level: int, recipe: happened.UpgradeRecipe = "nft_upgrade", cid: str = ""
) -> happened.LevelMinted:
    return happened.LevelMinted(
        **ids(id_),
        recipe=recipe,
        level=level,
        mint=f"mint-{id_}",
        owner=WALLET,
        cid=cid or f"cid-{id_}",
        signature="mint-sig-1",
        slot=SLOT,
        compensation=bool(cid),
    )


def correction(kind: happened.Discrepancy, mint: str, chain: str = "", **more: Any) -> Any:
    return happened.CorrectionRecorded(
        **ids(mint.removeprefix("mint-")),
        kind=kind,
        mint=mint,
        field="token",
        ledger_value=WALLET,
        chain_value=chain,
        slot=SLOT,
        review=more.get("review", kind != "burned_outside"),
    )


UNLOCK: list[Event] = [asked("u1", "nft_unlock", 1, ""), window("u1")]
UNLOCKED: list[Event] = [*UNLOCK, submitted("u1"), minted("u1", 1, "nft_unlock")]
CLIMB: list[Event] = [*UNLOCKED, asked("u2", "nft_upgrade", 2, "mint-u1", "b1", "b2"), window("u2")]
OWED: list[Event] = [*CLIMB, submitted("u2"), burned("u2", "mint-u1")]
CLIMBED: list[Event] = [*OWED, signed("u2"), minted("u2", 2)]


def given(*history: Event) -> Given:
    return Given(Upgrade(), *history)


def upgrade_of(*history: Event) -> Upgrade:
    state: Upgrade = given(*history).is_now()
    return state


def of(id_: str, decide: Callable[[Attempt], list[Event]]) -> Callable[[Upgrade], list[Event]]:
    return lambda upgrade: decide(upgrade.attempts[id_])


def burning(mint: str = "mint-u1", owner: str = WALLET, named: str = "") -> Any:
    return lambda upgrade: upgrade.burn(mint, owner, "burn-sig", SLOT, named)


def recording(id_: str, level: int, cid: str = "", signature: str = "mint-sig-1") -> Any:
    token = TokenFound(f"mint-{id_}", "", 0, SLOT)
    return of(id_, lambda each: each.record(token, level, cid or f"cid-{id_}", signature))


def signing(id_: str, number: int = 1) -> Any:
    prepared = replace(SIGNED, signature=f"mint-sig-{number}")
    return of(id_, lambda each: each.sign(prepared))


def wanting(level: int, by: str, id_: str = "u2", reason: str = "a day of outage") -> Any:
    wanted = Compensation(level, reason, by, f'{{"level":{level}}}', f"cid-{level}")
    return of(id_, lambda each: compensate(each, wanted))


def proposed(level: int, by: str, id_: str = "u2") -> happened.CompensationProposed:
    said = {"reason": "a day of outage", "by": by}
    return happened.CompensationProposed(**ids(id_), level=level, **said)


def approved(level: int, by: str, first: str, id_: str = "u2") -> happened.CompensationApproved:
    return happened.CompensationApproved(
        **ids(id_),
        level=level,
        cid=f"cid-{level}",
        metadata=f'{{"level":{level}}}',
        reason="a day of outage",
        by=by,
        proposed_by=first,
    )


def mint_failed(id_: str, tried: int, after: timedelta) -> happened.LevelMintFailed:
    return happened.LevelMintFailed(
        **ids(id_),
        tried=tried,
        error_class="transient",
        reason="RPC away",
        retry_at=NOON + after,
    )
