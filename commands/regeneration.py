"""What can be asked of the picture that a paid regeneration owes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from commands.command import Seen
from commands.x402_outcome import WithX402Order
from domain import geoplet_events as happened
from domain.circuit import Circuit, circuit_stream
from domain.event import Event


class OfRegeneration(WithX402Order):
    def ids(self, seen: Seen) -> Any:
        terms = self.order(seen).terms
        assert terms is not None
        return {
            "order_id": terms.order_id,
            "fid": terms.fid,
            "payment_type": terms.payment_type,
        }


class RequestRegeneration(OfRegeneration):
    """Opens the next attempt, or finds the open one."""

    prompt: str
    provider: str
    model: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        requested = happened.RegenerationRequested(
            **self.ids(seen),
            attempt=0,
            prompt=self.prompt,
            provider=self.provider,
            model=self.model,
            requested_at=at,
        )
        return self.order(seen).regenerate(requested)


class FailRegeneration(OfRegeneration):
    """One attempt failed; a provider that is out of credit is told to nobody but us."""

    attempt: int
    provider: str
    error_class: str
    reason: str
    retry_cap: timedelta
    not_before: timedelta = timedelta()

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        yield circuit_stream(self.provider)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        failed = happened.RegenerationFailed(
            **self.ids(seen),
            attempt=self.attempt,
            error_class=self.error_class,
            reason=self.reason,
            retry_at=None,
            gave_up=False,
        )
        picture = self.order(seen).picture
        events = picture.fail(failed, at=at, cap=self.retry_cap, wish=self.not_before)
        circuit = seen.get(Circuit, circuit_stream(self.provider))
        return [*events, *circuit.failed(self.provider, self.error_class, at)] if events else []


class StoreRegeneration(OfRegeneration):
    attempt: int
    provider: str
    output_url: str
    sha256: str
    content_type: str
    bytes: int

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        yield circuit_stream(self.provider)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        stored = happened.RegenerationStored(
            **self.ids(seen),
            attempt=self.attempt,
            output_url=self.output_url,
            sha256=self.sha256,
            content_type=self.content_type,
            bytes=self.bytes,
            stored_at=at,
        )
        circuit = seen.get(Circuit, circuit_stream(self.provider))
        events = self.order(seen).picture.store(stored)
        return [*events, *circuit.succeeded(self.provider)] if events else []


class DeliverRegeneration(OfRegeneration):
    """The payer is being handed the picture."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        delivered = happened.RegenerationDelivered(**self.ids(seen))
        return self.order(seen).picture.deliver(delivered)
