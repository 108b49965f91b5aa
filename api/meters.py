"""What Prometheus scrapes: requests as they end, and the state of ledger and views when asked."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from api.live.meters import LiveMeters

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Meters:
    """One registry a process; a request costs two additions."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter(
            "mega_http_requests", "Requests by route and status.", labels, registry=registry
        )
        self._seconds = Histogram(
            "mega_http_request_seconds",
            "Time to answer, by route.",
            ("method", "route"),
            buckets=SECONDS,
            registry=registry,
        )
        self._level_reads = Counter(
            "mega_level_reads",
            "Looks at a level, by what answered: the projection, or the ledger.",
            ("answered_by",),
            registry=registry,
        )
        self.live = LiveMeters(registry)
        self._gauges: dict[str, Gauge] = {}
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the template of a path, never the path, so that labels stay few."""
        key = (method, route, status)
        if key not in self._known:
            counter = self._requests.labels(method, route, str(status))
            self._known[key] = (counter, self._seconds.labels(method, route))
        counter, histogram = self._known[key]
        counter.inc()
        histogram.observe(seconds)

    def level_read(self, *, hit: bool) -> None:
        """A look at a pass's level: by the projection, or by the ledger because it has no row."""
        self._level_reads.labels("projection" if hit else "ledger").inc()

    def set(self, name: str, help: str, values: dict[tuple[str, ...], float], *labels: str) -> None:
        """Replaces all values of a gauge; `values` by the values of its labels."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, help, labels, registry=self._registry)
        gauge = self._gauges[name]
        if not labels:
            gauge.set(values[()])
            return
        gauge.clear()
        for key, value in values.items():
            gauge.labels(*key).set(value)

    def text(self) -> bytes:
        return generate_latest(self._registry)
