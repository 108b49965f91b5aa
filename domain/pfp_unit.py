"""Unit: one token of a batch on its way: picture, image stored, metadata stored, signed, minted.

What was reached stays: a failed upload repeats the same bytes, a failed mint uses the same address.
A signed mint is alive until the chain shows it or a proof ends it, and meanwhile nothing else is
signed. Three quick tries a round, then the credit stays. Seed 003, `decisions.md` C23.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from domain import batch_events as happened
from domain.backoff import pause
from domain.batch_events import FilePart
from domain.event import Event
from domain.solana import TokenFound

QUICK_ATTEMPTS = 3
QUICK_RETRY = timedelta(seconds=1)
BACKGROUND_RETRY = timedelta(seconds=5)
LONG_RETRY = timedelta(seconds=60)
"""After a failure that only somebody else can mend, as an empty account at the storage node."""

UNCOUNTED = frozenset({"quota"})


def seed_of(entropy: str, index: int) -> str:
    """The seed of a unit's picture: 32 bytes of hex."""
    return sha256(bytes.fromhex(entropy) + index.to_bytes(4, "big")).hexdigest()


def token_name(seed: str) -> str:
    """What its token is called: at most 32 bytes, as the chain wants it."""
    return f"MEGA PFP {seed[:8]}"


@dataclass(frozen=True, slots=True)
class Unit:
    """`alive` is the signed mint whose outcome is not known; `signed` counts them all."""

    index: int = 0
    seed: str = ""
    round: int = 0
    open: bool = False
    tried: int = 0
    failures: int = 0
    sealed: Mapping[str, happened.PfpFileSealed] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()
    signed: int = 0
    alive: happened.PfpMintSigned | None = None
    minted: happened.PfpMinted | None = None
    failure: happened.PfpMintFailed | None = None

    # Questions.

    @property
    def idle(self) -> bool:
        return not self.open and self.minted is None

    @property
    def art_stored(self) -> bool:
        """Both files are where the token will say they are."""
        return self.stored == {"image", "metadata"}

    @property
    def retry_at(self) -> datetime | None:
        """When it may be tried again; None: at once."""
        return self.failure.retry_at if self.failure else None

    def uri(self, part: FilePart) -> str:
        return self.sealed[part].uri

    # Decisions.

    def request(self, batch_id: str, index: int, entropy: str, at: datetime) -> list[Event]:
        if not self.idle:
            return []
        seed = self.seed or seed_of(entropy, index)
        return [
            happened.PfpMintRequested(
                batch_id=batch_id, index=index, round=self.round + 1, seed=seed, requested_at=at
            )
        ]

    def seal(self, sealed: happened.PfpFileSealed) -> list[Event]:
        """Sealed anew only when the first bytes are lost and were never stored."""
        known = self.sealed.get(sealed.part)
        same = known is not None and known.item_id == sealed.item_id
        return [] if same or sealed.part in self.stored or not self.open else [sealed]

    def store(self, batch_id: str, part: FilePart, receipt: str) -> list[Event]:
        if part in self.stored or part not in self.sealed:
            return []
        stored = happened.PfpFileStored(
            batch_id=batch_id,
            index=self.index,
            part=part,
            item_id=self.sealed[part].item_id,
            receipt=receipt,
        )
        return [stored]

    def sign(self, signed: happened.PfpMintSigned) -> list[Event]:
        """One at a time: while one may land there is no other."""
        wanted = self.open and self.art_stored and self.alive is None and self.minted is None
        return [signed] if wanted and signed.number == self.signed + 1 else []

    def drop(self, dropped: happened.PfpMintDropped) -> list[Event]:
        gone = self.alive is not None and self.alive.signature == dropped.signature
        return [dropped] if gone else []

    def record(self, batch_id: str, owner: str, signature: str, found: TokenFound) -> list[Event]:
        """The chain holds the token, with the addresses that were sealed for it."""
        if self.minted:
            return []
        minted = happened.PfpMinted(
            batch_id=batch_id,
            index=self.index,
            owner=owner,
            asset_id=found.asset_id,
            tree=found.tree,
            leaf_index=found.leaf_index,
            signature=signature,
            slot=found.slot,
            image_uri=self.uri("image"),
            metadata_uri=self.uri("metadata"),
        )
        return [minted]

    def fail(
        self,
        batch_id: str,
        error_class: str,
        reason: str,
        *,
        at: datetime,
        cap: timedelta,
        wish: timedelta = timedelta(),
    ) -> list[Event]:
        """A try came to nothing; `cap` bounds the pause before the next, `wish` is the other
        side's own. A mint that may still land has not failed."""
        if not self.open or self.alive or self.minted:
            return []
        counted = error_class not in UNCOUNTED
        tried = self.tried + counted
        gave_up = not counted or tried >= QUICK_ATTEMPTS
        waits = max(self._pause(batch_id, gave_up, counted, cap), wish)
        failed = happened.PfpMintFailed(
            batch_id=batch_id,
            index=self.index,
            round=self.round,
            tried=tried,
            error_class=error_class,
            reason=reason,
            retry_at=at + waits,
            gave_up=gave_up,
        )
        return [failed]

    # History.

    def evolve(self, event: Event) -> Unit:
        match event:
            case happened.PfpMintRequested(index=index, seed=seed, round=number):
                asked = replace(self, index=index, seed=seed, round=number)
                return replace(asked, open=True, tried=0, failure=None)
            case happened.PfpFileSealed(part=part):
                return replace(self, sealed={**self.sealed, part: event})
            case happened.PfpFileStored(part=part):
                return replace(self, stored=self.stored | {part})
            case happened.PfpMintSigned(number=number):
                return replace(self, alive=event, signed=number)
            case happened.PfpMintDropped():
                return replace(self, alive=None)
            case happened.PfpMintFailed(tried=tried, gave_up=gave_up):
                closed = replace(self, tried=tried, failure=event, open=not gave_up)
                return replace(closed, failures=self.failures + 1)
            case happened.PfpMinted(index=index):
                return replace(self, index=index, minted=event, alive=None, open=False)
        return self

    # Helpers.

    def _pause(self, batch_id: str, gave_up: bool, counted: bool, cap: timedelta) -> timedelta:
        if not counted:
            return min(cap, LONG_RETRY)
        first = BACKGROUND_RETRY if gave_up else QUICK_RETRY
        waited = self.round - 1 if gave_up else self.tried
        return pause(first, waited, cap, f"{batch_id}/{self.index}/{self.failures}")
