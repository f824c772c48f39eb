"""What a process has done since it began, counted for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The form in which they are written."""

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The counts of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._updates = Counter("ringback_updates", "Updates answered, by code.", ["code"], registry=self._registry)
        self._seconds = Histogram(
            "ringback_update_seconds",
            "Seconds from an update's place in the queue to its answer, the commit in between.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._batches = Histogram(
            "ringback_batch_updates", "Updates written with one commit.", buckets=_SIZES, registry=self._registry
        )
        self.queue = Gauge("ringback_queue_updates", "Updates that wait to be written.", registry=self._registry)
        deliveries = Counter(
            "ringback_deliveries",
            "Tries of deliveries, by what became of them.",
            ["state", "code"],
            registry=self._registry,
        )
        self._of_deliveries = cache(deliveries.labels)  # looked up a thousand times a second

    def note_batch(self, size: int, answered: Iterable[tuple[str, float]]) -> None:
        """Count a batch, and what was answered: each code, and the seconds that it took."""
        self._batches.observe(size)
        codes: dict[str, int] = {}
        for code, seconds in answered:
            codes[code] = codes.get(code, 0) + 1
            self._seconds.observe(seconds)
        for code, count in codes.items():
            self._updates.labels(code).inc(count)

    def note_delivery(self, state: str, code: str) -> None:
        """Count one try of a delivery."""
        self._of_deliveries(state, code).inc()

    def written(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
