"""What passes hear of their level token, by the names that seed 002 gives its messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain import upgrade_events as happened
from domain.upgrade import Upgrade
from domain.upgrade_attempt import Attempt
from domain.upgrade_view import spoken_reason
from ledger.codec import Recorded
from projections.announcer import Announcer
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class Climbing:
    pass_id: str
    upgrade: Upgrade


class LevelStates(Announcer[Climbing]):
    """Unlocked, upgraded or failed by its own name; every other step as a change of state."""

    kind = "levels"
    type = "mint:state_changed"
    topics = topics_of(happened.UpgradeEvent)
    state = Climbing

    def key(self, event: Any) -> str:
        return str(event.pass_id)

    def fold(self, state: Climbing | None, recorded: Recorded) -> Climbing:
        event = recorded.event
        assert isinstance(event, happened.UpgradeEvent)
        upgrade = state.upgrade if state else Upgrade()
        return Climbing(event.pass_id, upgrade.evolve(event))

    def owner(self, state: Climbing) -> str:
        return state.pass_id

    def show(self, state: Climbing) -> dict[str, Any]:
        upgrade = state.upgrade
        token, attempt = upgrade.token, upgrade.attempt
        return {
            "level": upgrade.level,
            "mint": token.mint if token else None,
            "upgrade": _shown(attempt) if attempt else None,
        }

    def tell(
        self, before: Climbing | None, after: Climbing, recorded: Recorded
    ) -> tuple[str, dict[str, Any]] | None:
        match recorded.event:
            case happened.LevelMinted() as minted:
                unlocked = minted.recipe == "nft_unlock"
                said = {"mint": minted.mint, "signature": minted.signature}
                type_ = "nft:claim_success" if unlocked else "nft:upgrade_complete"
                shown = _shown(after.upgrade.attempts[minted.upgrade_id])
                return type_, {**shown, **said, "level": minted.level}
            case happened.UpgradeFailed(upgrade_id=id_):
                return "nft:upgrade_failed", _shown(after.upgrade.attempts[id_])
            case happened.CorrectionRecorded(kind=kind, mint=mint):
                return self.type, {"level": after.upgrade.level, "mint": mint, "kind": kind}
            case happened.UpgradeEvent(upgrade_id=id_) if id_ in after.upgrade.attempts:
                known = before.upgrade.attempts.get(id_) if before else None
                shown = _shown(after.upgrade.attempts[id_])
                return None if known and _shown(known) == shown else (self.type, shown)
        return None


def _shown(attempt: Attempt) -> dict[str, Any]:
    return {
        "upgrade_id": attempt.terms.upgrade_id,
        "recipe": attempt.terms.recipe,
        "level": attempt.level,
        "state": attempt.state,
        "reason_class": attempt.reason_class,
        "reason": spoken_reason(attempt),
    }
