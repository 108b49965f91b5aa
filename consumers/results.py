"""What the outside answered, taken in: a message leads to a look at the evidence, then a command.

The messages only say where to look. A payment counts because the chain shows it now, a picture
because it can be read back from its store with the digest that is claimed.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, Field

from commands.characters import StoreImage
from commands.command import look
from commands.orders import SeeOrder
from commands.x402_slot import SeeAuthorization, SeePayment
from consumers.evidence import Examiner
from consumers.gateways.ports import ErrorClass, StoredPicture
from consumers.reactions.generation import picture_key
from consumers.reactions.promise import Desk
from domain.event import Refused
from domain.order_events import order_stream

ATTEMPT_MAX = 1_000_000

log = structlog.get_logger()


class Arrived(Protocol):
    """A message of a topic. `id` is the same for every copy of it."""

    @property
    def id(self) -> str: ...

    @property
    def value(self) -> dict[str, Any]: ...


class ReadsBack(Protocol):
    def url(self, key: str) -> str: ...

    async def fetch_and_verify(self, url: str, sha256: str) -> StoredPicture: ...


class ChainResult(BaseModel):
    """Which order to look at: `order_id` a role mint's; or a Geoplet's, by its `fid`, or by the
    `payer` and `nonce` of an authorization."""

    model_config = ConfigDict(extra="ignore", strict=True)

    order_id: str = Field(default="", max_length=64)
    fid: int = Field(default=0, ge=0, le=2**63 - 1)
    payer: str = Field(default="", max_length=42)
    nonce: str = Field(default="", max_length=66)


class ProviderResult(BaseModel):
    """`outcome` stored: the digest to read back; failed: its class and reason."""

    model_config = ConfigDict(extra="ignore", strict=True)

    character_id: str = Field(max_length=64)
    attempt: int = Field(ge=1, le=ATTEMPT_MAX)
    outcome: Literal["stored", "failed"]
    sha256: str = Field(default="", max_length=64)
    error_class: ErrorClass = "unknown"
    reason: str = Field(default="", max_length=500)


class LooksUp(Protocol):
    def claim(self, payer: str, nonce: str) -> str: ...

    async def look_up(self, order_id: str, *, cause: str) -> Any: ...


class Results:
    """The handlers of `chain.results` and `provider.results`."""

    def __init__(
        self, desk: Desk, examiner: Examiner, store: ReadsBack, settlement: LooksUp
    ) -> None:
        self._desk, self._examiner, self._store = desk, examiner, store
        self._settlement = settlement

    async def chain(self, message: Arrived) -> None:
        result = ChainResult.model_validate(message.value)
        if result.order_id:
            await self._role_mint(result, message)
        elif order_id := await self._x402_order(result):
            await self._settlement.look_up(order_id, cause=message.id)

    async def _x402_order(self, result: ChainResult) -> str:
        """The order that a fid or an authorization leads to; empty: none of ours."""
        if result.fid:
            slot = SeePayment(fid=result.fid, payment_type="mint")
            return slot.order(await look(self._desk.ledger, slot)).order_id
        held = SeeAuthorization(claim=self._settlement.claim(result.payer, result.nonce))
        return held.order(await look(self._desk.ledger, held)).order_id

    async def _role_mint(self, result: ChainResult, message: Arrived) -> None:
        see = SeeOrder(order_id=result.order_id)
        seen = await look(self._desk.ledger, see)
        if not see.order(seen).opened:
            log.warning("message_of_no_order", message=message.id)
            return
        order, wallets = see.order(seen), see.wallets(seen)
        version = seen.version(order_stream(result.order_id))
        findings = await self._examiner.examine(order, wallets, self._desk.now())
        for number, command in enumerate(findings):
            taken = f"{message.id}@{version}:{number}"
            try:
                await self._desk.do(command, cause=message.id, message=taken)
            except Refused as refused:
                log.warning("finding_refused", message=message.id, why=refused.sentence)

    async def provider(self, message: Arrived) -> None:
        """Only a picture is evidence. A failure was recorded before its message left."""
        result = ProviderResult.model_validate(message.value)
        if result.outcome == "stored":
            await self._stored(result, message.id)

    async def _stored(self, result: ProviderResult, cause: str) -> None:
        place = self._store.url(picture_key(result.character_id, result.attempt))
        there = await self._store.fetch_and_verify(place, result.sha256)
        command = StoreImage(
            character_id=result.character_id,
            attempt=result.attempt,
            output_url=there.url,
            sha256=there.sha256,
            content_type=there.content_type,
            bytes=there.bytes,
            width=there.width,
            height=there.height,
        )
        await self._desk.do(command, cause=cause, message=cause)
