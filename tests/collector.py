"""An OpenTelemetry collector of a test's own: it takes what really comes over HTTP and decodes it."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from domain import traces
from domain.settings import Settings


@dataclass(frozen=True)
class Step:
    """A span as it arrived."""

    service: str
    name: str
    role: str
    trace_id: str
    id: str
    parent: str
    said: dict[str, str | int]
    """Its attributes."""
    well: bool
    events: int


class Collector:
    """What arrived, in the order of the ends."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.steps: list[Step] = []
        self.paths: set[str] = set()

    def step(self, name: str) -> Step:
        """The only one of this name."""
        (step,) = [one for one in self.steps if one.name == name]
        return step

    def child(self, parent: Step, name: str) -> Step:
        """The only one of this name; it follows from `parent`, in one trace."""
        step = self.step(name)
        assert (step.trace_id, step.parent) == (parent.trace_id, parent.id), f"{name} follows from something else"
        return step


@contextmanager
def collector() -> Iterator[Collector]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.paths.add(self.path)
            body = self.rfile.read(int(self.headers["content-length"]))
            told.steps.extend(_steps(ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        told = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def silent() -> Iterator[str]:
    """A collector that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@asynccontextmanager
async def collected(process: str = "web") -> AsyncIterator[Collector]:
    """Traces on; all steps have arrived when the context is over."""
    with collector() as told:
        async with traces.told(Settings(otlp_endpoint=told.url), process):
            yield told


def _steps(request: ExportTraceServiceRequest) -> Iterator[Step]:
    for resource in request.resource_spans:
        (service,) = [one.value.string_value for one in resource.resource.attributes if one.key == "service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _step(service, span)


def _step(service: str, span: Span) -> Step:
    said = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
    role = Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower()
    well = span.status.code != Status.STATUS_CODE_ERROR
    assert not span.status.message
    return Step(
        service,
        span.name,
        role,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        said,
        well,
        len(span.events),
    )
