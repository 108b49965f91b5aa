"""What is counted of those who listen."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class LiveMeters:
    def __init__(self, registry: CollectorRegistry) -> None:
        by = ("transport",)
        self._connections = Gauge(
            "mega_live_connections", "Who listens now.", by, registry=registry
        )
        self._sent = Counter(
            "mega_live_sent", "Messages handed to the network.", by, registry=registry
        )
        self._catch_ups = Counter(
            "mega_live_catch_ups",
            "Times that a listener was too slow for its queue and read from the feed.",
            by,
            registry=registry,
        )
        self._cut_offs = Counter(
            "mega_live_cut_offs", "Connections that we ended, by why.", ("why",), registry=registry
        )

    def tally(self, transport: str) -> Tally:
        return Tally(self._connections, self._sent, self._catch_ups, self._cut_offs, transport)


class Tally:
    """The counts of one connection."""

    def __init__(
        self, connections: Gauge, sent: Counter, behind: Counter, ended: Counter, transport: str
    ) -> None:
        self._connections = connections.labels(transport)
        self._ended = ended
        self.sent = sent.labels(transport).inc
        self.fell_behind = behind.labels(transport).inc

    def began(self) -> None:
        self._connections.inc()

    def ended(self, why: str) -> None:
        """`why`: empty when the client left."""
        self._connections.dec()
        if why:
            self._ended.labels(why).inc()
