"""What can be asked of one unit of a batch: to be made, and what came of each step towards it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import reduce

from commands.batches import PFP, WithBatch
from commands.command import Answer, Seen
from domain.batch_events import FilePart, PfpFileSealed, PfpMintDropped, PfpMintSigned, batch_stream
from domain.event import Event
from domain.pfp_unit import Unit
from domain.solana import Prepared, TokenFound


class RequestMint(WithBatch):
    """Opens the next unit of a paid batch; none when all are minted or at work."""

    background: bool = False

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.batch(seen).request_mint(at, background=self.background)


class WithUnits(WithBatch):
    """Only the batch counts here, so only its stream is read."""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield batch_stream(self.batch_id)

    def pass_id(self, seen: Seen) -> str:
        return self.batch(seen).pass_id

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {})


class SeeUnits(WithUnits):
    """Decides nothing: what a reaction looks at before it goes on with them."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class WithUnit(WithUnits):
    index: int

    def unit(self, seen: Seen) -> Unit:
        return self.batch(seen).unit(self.index)


class SealFile(WithUnit):
    """A file's address is known; it is about to be uploaded."""

    part: FilePart
    vault: str
    item_id: str
    uri: str
    sha256: str
    bytes: int

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        sealed = PfpFileSealed(
            batch_id=self.batch_id,
            index=self.index,
            part=self.part,
            vault=self.vault,
            item_id=self.item_id,
            uri=self.uri,
            sha256=self.sha256,
            bytes=self.bytes,
        )
        return self.unit(seen).seal(sealed)


class FileIsStored(WithUnit):
    part: FilePart
    receipt: str = ""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.unit(seen).store(self.batch_id, self.part, self.receipt)


class SignMint(WithUnit):
    """The mint's bytes and signature, before they leave."""

    minter: str
    tree: str
    number: int
    prepared: Prepared

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        signed = PfpMintSigned(
            batch_id=self.batch_id,
            index=self.index,
            number=self.number,
            minter=self.minter,
            tree=self.tree,
            signature=self.prepared.signature,
            raw=self.prepared.raw,
            blockhash=self.prepared.blockhash,
            last_valid_height=self.prepared.last_valid_height,
        )
        return self.unit(seen).sign(signed)


class FailMint(WithBatch):
    """A try came to nothing; `error_class` is one of `providers.md` §0. A single mint that is given
    up before there is a transaction lets go of all that it held."""

    index: int
    error_class: str
    reason: str
    cap: timedelta
    wish: timedelta = timedelta()

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        batch = self.batch(seen)
        if batch.recipe == "pfp_single" and batch.window:
            return []
        failed = self.failed(batch.unit(self.index), at)
        left = reduce(Unit.evolve, failed, batch.unit(self.index))
        if batch.recipe == "pfp_batch" or not failed or left.open:
            return failed
        return [*failed, *batch.give_up(self.error_class), *self.let_go(seen)]

    def failed(self, unit: Unit, at: datetime) -> list[Event]:
        return unit.fail(
            self.batch_id, self.error_class, self.reason, at=at, cap=self.cap, wish=self.wish
        )


class DropMint(FailMint):
    """The signed mint can never land, or landed and did nothing: that try failed. A full `tree`
    is no fault of the unit's; the next one is used."""

    signature: str
    proof_height: int = 0
    proof_slot: int = 0
    full: bool = False

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        unit = self.batch(seen).unit(self.index)
        dropped = unit.drop(
            PfpMintDropped(
                batch_id=self.batch_id,
                index=self.index,
                signature=self.signature,
                reason=self.reason,
                proof_height=self.proof_height,
                proof_slot=self.proof_slot,
            )
        )
        if not dropped or self.full:
            return dropped
        return [*dropped, *self.failed(unit.evolve(dropped[0]), at)]


class RecordToken(WithBatch):
    """The chain holds the token, finalized: one credit became it."""

    index: int
    signature: str
    token: TokenFound

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        batch = self.batch(seen)
        unit = batch.unit(self.index)
        minted = unit.record(self.batch_id, batch.wallet, self.signature, self.token)
        if not minted:
            return []
        owner, account = self.pass_id(seen), self.account(seen)
        return [*minted, *account.capture(owner, PFP, batch.batch_id, self.index)]
