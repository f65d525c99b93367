"""Sends the steps of domain/traces.py to an OpenTelemetry collector, in a thread of its own: nobody waits for it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, Tracer, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

from domain import VERSION
from domain.traces import Begin, Kind, Span

FAREWELL_S = 2.0
"""So long a process that ends waits for its last steps to leave."""
LOGGED = ("request", "handler", "charger", "session")
"""Ids that the lines of the log carry (domain/logs.py), and the steps too."""

_w3c = TraceContextTextMapPropagator()


class Told(Span):
    """A step of a trace; the lines logged meanwhile carry the trace's id.

    Of an exception only its name is told: its words may hold what a driver typed.
    """

    def __init__(self, tracer: Tracer, kind: Kind, action: str, follows: str, ids: dict[str, str | int]) -> None:
        known = {name: value for name, value in get_contextvars().items() if name in LOGGED}
        self._span = tracer.start_span(
            f"{kind.name} {action}",
            _w3c.extract({"traceparent": follows}) if follows else None,
            SpanKind.SERVER if follows else SpanKind[kind.role.upper()],
            {**known, **ids, "action": action},
        )
        self._here = set_span_in_context(self._span)

    def __enter__(self) -> Span:
        self._before = context.attach(self._here)
        self._lines = bind_contextvars(trace_id=format_trace_id(self._span.get_span_context().trace_id))
        return self

    def __exit__(self, error: type[BaseException] | None = None, *_: object) -> None:
        if error is not None:
            self.came_to(error.__name__, well=False)
        reset_contextvars(**self._lines)
        context.detach(self._before)
        self._span.end()

    def came_to(self, outcome: str, *, well: bool = True) -> None:
        self._span.set_attribute("outcome", outcome)
        if not well:
            self._span.set_status(StatusCode.ERROR)

    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _w3c.inject(carrier, self._here)
        return carrier.get("traceparent", "")


@asynccontextmanager
async def sending(endpoint: str, process: str) -> AsyncIterator[Begin]:
    """How a step begins, as long as the context lasts; a collector that is gone costs its steps, and nothing else."""
    resource = Resource.create({"service.name": f"evapp-{process}", "service.version": VERSION})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    try:
        yield partial(Told, provider.get_tracer("evapp", VERSION))
    finally:
        # The library's own bound is 30 seconds, and some of its ways forget it.
        farewell = threading.Thread(target=provider.shutdown, daemon=True)
        farewell.start()
        await asyncio.to_thread(farewell.join, FAREWELL_S)
