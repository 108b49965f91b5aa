"""What can be asked of the picture that a paid regeneration owes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from commands.command import Seen
from commands.x402_outcome import WithX402Order
from domain import geoplet_events as happened
from domain.circuit import Circuit, circuit_stream
from domain.event import Event


class RequestRegeneration(WithX402Order):
    """Opens the next attempt, or finds the open one."""

    prompt: str
    provider: str
    model: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        requested = happened.RegenerationRequested(
            **self.order(seen).ids,
            attempt=0,
            prompt=self.prompt,
            provider=self.provider,
            model=self.model,
            requested_at=at,
        )
        return self.order(seen).regenerate(requested)


class FailRegeneration(WithX402Order):
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
            **self.order(seen).ids,
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


class StoreRegeneration(WithX402Order):
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
            **self.order(seen).ids,
            attempt=self.attempt,
            output_url=self.output_url,
            sha256=self.sha256,
            content_type=self.content_type,
            bytes=self.bytes,
            stored_at=at,
        )
        circuit = seen.get(Circuit, circuit_stream(self.provider))
        order = self.order(seen)
        # What is refund due is not delivered as well.
        events = [] if order.failure else order.picture.store(stored)
        return [*events, *circuit.succeeded(self.provider)] if events else []


class DeliverRegeneration(WithX402Order):
    """The payer is being handed the picture."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        delivered = happened.RegenerationDelivered(**self.order(seen).ids)
        return self.order(seen).picture.deliver(delivered)
