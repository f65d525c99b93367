"""Serves what domain/metrics.py counts to a Prometheus on this machine, and to nobody else unless a setting says so."""

import asyncio
import platform
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from concurrent.futures import TimeoutError as ScrapeTimeout
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import Any

import structlog
from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from domain import VERSION, metrics
from domain.db import read
from domain.metrics import METRICS, Counter, Gauge, Histogram, Labels
from domain.models import now
from domain.settings import SettingsError, settings
from domain.vitals import vitals

LOOPBACK = "127.0.0.1"
PATIENCE_S = 5.0
"""How long a scrape waits for the event loop and the database; what it knows without them it says all the same."""

log = structlog.get_logger()


@asynccontextmanager
async def scraped(port: int, process: str) -> AsyncIterator[int]:
    """Answer GET /metrics, on the loopback address or the one that is set, for as long as the context lasts.

    Yields the bound port, or 0 where metrics are off (`port` 0).

    `process` names what runs here: web or csms.

    Raises:
        SettingsError: the address or the port cannot be bound.
    """
    if not port:
        yield 0
        return
    metrics.BUILD.read = lambda: {(VERSION, process, platform.python_version()): 1}
    registry = CollectorRegistry()
    for collector in (Vitals(asyncio.get_running_loop()), PROCESS_COLLECTOR, GC_COLLECTOR, PLATFORM_COLLECTOR):
        registry.register(collector)
    host = settings().metrics_host or LOOPBACK
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        why = f"{host}:{port} cannot be used: {error.strerror or error}"
        advice = "Each process needs a port of its own, and EVAPP_METRICS_HOST an address of this machine."
        raise SettingsError(f"EVAPP_METRICS_PORT: {why}. {advice}") from error
    try:
        yield server.server_port
    finally:
        await asyncio.to_thread(_end, server, thread)


def _end(server: Any, thread: Any) -> None:
    server.shutdown()
    server.server_close()
    thread.join()


class Vitals(Collector):
    """Reads every number when it is asked for; in a thread of its own, since Prometheus waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def collect(self) -> Iterator[Metric]:
        began = time.monotonic()
        lag, known = self._from_the_loop()
        told: dict[str, Mapping[Labels, float]] = {gauge.name: figures for gauge, figures in known}
        told[metrics.LOOP.name] = {(): lag - began}
        told[metrics.DATABASE_UP.name] = {(): bool(known)}
        for metric in METRICS.values():
            if isinstance(metric, Gauge):
                yield _gauge(metric, told.get(metric.name) or metric.read())
            elif isinstance(metric, Counter):
                yield _counter(metric)
            else:
                yield _histogram(metric)

    def _from_the_loop(self) -> tuple[float, list[tuple[Gauge, Mapping[Labels, float]]]]:
        """When the loop came to it, and what the database says; nothing when one of them is too slow, or broken."""
        asked: list[float] = []

        async def ask() -> list[tuple[Gauge, Mapping[Labels, float]]]:
            asked.append(time.monotonic())
            return await read(vitals, now())

        asking = asyncio.run_coroutine_threadsafe(ask(), self._loop)
        known: list[tuple[Gauge, Mapping[Labels, float]]] = []
        try:
            known = asking.result(PATIENCE_S)
        except ScrapeTimeout:
            asking.cancel()
            log.warning("a scrape goes without the database", reason="too slow")
        except SQLAlchemyError as error:
            log.warning("a scrape goes without the database", reason=type(error).__name__)
        return (asked[0] if asked else time.monotonic()), known


def _gauge(metric: Gauge, figures: Mapping[Labels, float]) -> Metric:
    family = GaugeMetricFamily(metric.name, metric.says, labels=metric.labels)
    for labels, value in _at_once(figures.items()):
        family.add_metric(labels, float(value))
    return family


def _counter(metric: Counter) -> Metric:
    family = CounterMetricFamily(metric.name, metric.says, labels=metric.labels)
    if not metric.labels:
        metric.cell()  # a counter without labels says nought before the first one
    for labels, cell in _at_once(metric.cells.items()):
        family.add_metric(labels, cell.n)
    return family


def _histogram(metric: Histogram) -> Metric:
    family = HistogramMetricFamily(metric.name, metric.says, labels=metric.labels)
    bounds = [*map(str, metric.bounds), "+Inf"]
    for labels, seen in _at_once(metric.seen.items()):
        *counts, total = seen
        family.add_metric(labels, buckets=list(zip(bounds, accumulate(counts), strict=True)), sum_value=total)
    return family


def _at_once(items: Iterable[Any]) -> list[Any]:
    """The other threads go on counting meanwhile."""
    return list(items)
