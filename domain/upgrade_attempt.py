"""Attempt: one unlock or upgrade on its way to its token.

prepared (the wallet's transaction) → submitted → burn_confirmed → mint_submitted → minted; an
unlock, and an exchange that burns and mints at once, are minted as their transaction lands. Before
the burn it may fail; after it, it never does: a token is owed until the chain shows it, by retries
with the original parameters or by a compensation (`compensation.py`). Seed 002, Recovery 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain import upgrade_events as happened
from domain.backoff import pause
from domain.event import Event
from domain.solana import Absence, Prepared, TokenFound
from domain.upgrade_refusals import NothingOwed, TooManySubmissions, UpgradeOver

FIRST_RETRY = timedelta(seconds=1)
SUPPORT_AFTER = 5
"""Tries to mint after which a person should look at it; the retries go on meanwhile."""
SUBMISSIONS_MAX = 10


@dataclass(frozen=True, slots=True)
class Attempt:
    """`watched`: its wallet's transaction may still land. `alive` is the signed mint whose outcome
    is not known; `signed` counts them all, `tried` those that came to nothing."""

    terms: happened.UpgradeRequested
    window: happened.UpgradePrepared | None = None
    submitted: happened.UpgradeSubmitted | None = None
    submissions: int = 0
    failed: happened.UpgradeFailed | None = None
    watched: bool = False
    burn: happened.BurnConfirmed | None = None
    signed: int = 0
    alive: happened.LevelMintSigned | None = None
    tried: int = 0
    failure: happened.LevelMintFailed | None = None
    retry_at: datetime | None = None
    minted: happened.LevelMinted | None = None
    proposal: happened.CompensationProposed | None = None
    approvals: tuple[happened.CompensationApproved, ...] = ()
    pinned: frozenset[str] = field(default_factory=frozenset)
    reviewed: bool = False

    # Questions.

    @property
    def ids(self) -> dict[str, str]:
        return {"pass_id": self.terms.pass_id, "upgrade_id": self.terms.upgrade_id}

    @property
    def state(self) -> happened.UpgradeState:
        if self.minted:
            return "compensated" if self.minted.compensation else "minted"
        if self.burn:
            if self.failure:
                return "recovery"
            return "mint_submitted" if self.alive else "burn_confirmed"
        if self.failed:
            return "failed"
        return "submitted" if self.submitted else "prepared"

    @property
    def open(self) -> bool:
        return not self.minted and not self.failed

    @property
    def owed(self) -> bool:
        """Burned, and the new token is not there yet: an open recovery."""
        return self.burn is not None and self.minted is None

    @property
    def takes_badges(self) -> bool:
        return self.failed is None

    @property
    def reason_class(self) -> happened.ReasonClass | None:
        if self.owed:
            if self.failure is None:
                return None
            return "SUPPORT" if self.tried >= SUPPORT_AFTER else "RETRYING"
        return self.failed.reason_class if self.failed else None

    @property
    def approval(self) -> happened.CompensationApproved | None:
        """The last one; each may be bettered."""
        return self.approvals[-1] if self.approvals else None

    @property
    def level(self) -> int:
        """Of the token that was minted, or is to be."""
        chosen = self.minted or self.approval or self.terms
        return chosen.level

    @property
    def cid(self) -> str:
        return (self.minted or self.approval or self.terms).cid

    @property
    def metadata(self) -> str:
        """The text whose address `cid` is."""
        texts = {each.cid: each.metadata for each in self.approvals}
        return texts.get(self.cid, self.terms.metadata)

    @property
    def metadata_stored(self) -> bool:
        return self.cid in self.pinned

    # Decisions: the wallet's transaction.

    def prepare(self, prepared: Prepared, expires_at: datetime) -> list[Event]:
        if self.window or not self.open:
            return []
        return [
            happened.UpgradePrepared(
                **self.ids,
                message=prepared.message,
                raw=prepared.raw,
                blockhash=prepared.blockhash,
                last_valid_height=prepared.last_valid_height,
                expires_at=expires_at,
            )
        ]

    def submit(self, raw: str, signature: str, at: datetime) -> list[Event]:
        """Handed in, whole and good, or sent by the wallet: a word that nothing depends on, so it
        never takes the place of what can be sent again."""
        if self.burn or self.minted:
            return []
        if self.failed and not self.watched:
            raise UpgradeOver()
        known, reopened = self.submitted, self.reopen()
        if not reopened and known and (known.signature == signature or (known.raw and not raw)):
            return []
        if self.submissions >= SUBMISSIONS_MAX:
            raise TooManySubmissions(f"({SUBMISSIONS_MAX})")
        submitted = happened.UpgradeSubmitted(
            **self.ids, raw=raw, signature=signature, submitted_at=at
        )
        return [*reopened, submitted]

    def reopen(self) -> list[Event]:
        """It is offered again while what failed can still land."""
        again = self.failed is not None and self.watched and not self.burn and not self.minted
        return [happened.UpgradeReopened(**self.ids)] if again else []

    def fail(self, reason_class: happened.ReasonClass, reason: str) -> list[Event]:
        if not self.open or self.burn:
            return []
        return [happened.UpgradeFailed(**self.ids, reason_class=reason_class, reason=reason)]

    def lapse(self, proof: Absence) -> list[Event]:
        if not self.watched:
            return []
        failed = self.fail("RETRYING", "it was not signed and sent in time")
        lapsed = happened.UpgradeLapsed(
            **self.ids, proof_height=proof.height, proof_slot=proof.slot
        )
        return [lapsed, *failed]

    def confirm_burn(self, owner: str, signature: str, slot: int) -> list[Event]:
        """Also of an attempt that had failed: what was burned is never lost."""
        if self.burn or not self.terms.burns:
            return []
        return [
            happened.BurnConfirmed(
                **self.ids,
                mint=self.terms.burns,
                owner=owner,
                signature=signature,
                slot=slot,
            )
        ]

    # Decisions: its token.

    def sign(self, prepared: Prepared) -> list[Event]:
        """One at a time: while one may land there is no other."""
        if not self.owed or self.alive:
            return []
        return [
            happened.LevelMintSigned(
                **self.ids,
                number=self.signed + 1,
                level=self.level,
                cid=self.cid,
                signature=prepared.signature,
                raw=prepared.raw,
                blockhash=prepared.blockhash,
                last_valid_height=prepared.last_valid_height,
            )
        ]

    def drop(self, signature: str, reason: str, height: int, slot: int) -> list[Event]:
        if self.alive is None or self.alive.signature != signature:
            return []
        return [
            happened.LevelMintDropped(
                **self.ids,
                signature=signature,
                reason=reason,
                proof_height=height,
                proof_slot=slot,
            )
        ]

    def fail_mint(
        self, error_class: str, reason: str, *, at: datetime, cap: timedelta
    ) -> list[Event]:
        """A try to sign or to send came to nothing; what is signed may land all the same."""
        if not self.owed:
            return []
        waits = pause(FIRST_RETRY, self.tried, cap, f"{self.terms.upgrade_id}/{self.tried}")
        return [
            happened.LevelMintFailed(
                **self.ids,
                tried=self.tried + 1,
                error_class=error_class,
                reason=reason,
                retry_at=at + waits,
            )
        ]

    def retry(self, by: str) -> list[Event]:
        if not self.owed:
            raise NothingOwed()
        return [happened.MintRetryAsked(**self.ids, by=by)] if self.retry_at else []

    def record(self, token: TokenFound, level: int, cid: str, signature: str) -> list[Event]:
        """The chain shows its token, with the level and metadata that one of us has signed."""
        approval = self.approval
        if self.minted or (self.terms.burns and not self.burn):
            return []
        return [
            happened.LevelMinted(
                **self.ids,
                recipe=self.terms.recipe,
                level=level,
                mint=token.asset_id,
                owner=self.terms.wallet,
                cid=cid,
                signature=signature,
                slot=token.slot,
                compensation=approval is not None
                and (level > self.terms.level or cid == approval.cid),
            )
        ]

    def pin(self, cid: str) -> list[Event]:
        known = cid in self.pinned or cid not in (self.cid, self.terms.cid)
        return [] if known else [happened.MetadataPinned(**self.ids, cid=cid)]

    # History.

    def evolve(self, event: Event) -> Attempt:
        match event:
            case happened.UpgradePrepared():
                return replace(self, window=event, watched=True)
            case happened.UpgradeSubmitted():
                return replace(self, submitted=event, submissions=self.submissions + 1)
            case happened.UpgradeFailed():
                return replace(self, failed=event)
            case happened.UpgradeReopened():
                return replace(self, failed=None, submitted=None)
            case happened.UpgradeLapsed():
                return replace(self, watched=False)
            case happened.BurnConfirmed():
                return replace(self, burn=event, failed=None, watched=False)
            case happened.MetadataPinned(cid=cid):
                return replace(self, pinned=self.pinned | {cid})
            case happened.ReviewClosed(mint=""):
                return replace(self, reviewed=True)
        return self._with_token(event)

    def _with_token(self, event: Event) -> Attempt:
        match event:
            case happened.LevelMintSigned(number=number):
                return replace(self, alive=event, signed=number, retry_at=None)
            case happened.LevelMintDropped():
                return replace(self, alive=None)
            case happened.LevelMintFailed(tried=tried, retry_at=at):
                return replace(self, failure=event, tried=tried, retry_at=at)
            case happened.MintRetryAsked():
                return replace(self, retry_at=None)
            case happened.LevelMinted():
                return replace(self, minted=event, alive=None, failed=None, watched=False)
            case happened.CompensationProposed():
                return replace(self, proposal=event)
            case happened.CompensationApproved():
                return replace(self, approvals=(*self.approvals, event), retry_at=None)
        return self
