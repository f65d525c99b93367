"""What this process counts, as plain numbers that cost next to nothing until Prometheus reads them (docs/adr/0009).

Every metric is declared here, in docs/operate.md and nowhere else; domain/scrape.py serves them.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Labels = tuple[str, ...]
METRICS: dict[str, "Counter | Gauge | Histogram"] = {}
"""By name, without the endings that Prometheus gives."""

MOMENTS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds within which a machine answers."""
ANSWERS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0)
"""Seconds within which a charger does."""
CROWDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Items of a batch."""


class Cell:
    """One number. Whoever counts often keeps its cell, and then counting is one addition."""

    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 0


@dataclass
class Counter:
    """A number that only grows, for each combination of labels."""

    name: str
    says: str
    labels: Labels = ()
    cells: dict[Labels, Cell] = field(default_factory=dict)

    def __post_init__(self) -> None:
        METRICS[self.name] = self

    def cell(self, *labels: str) -> Cell:
        """The number of these labels, to be kept and counted up."""
        cell = self.cells.get(labels)
        if cell is None:
            cell = self.cells.setdefault(labels, Cell())
        return cell

    def add(self, *labels: str) -> None:
        """One more."""
        self.cell(*labels).n += 1


@dataclass
class Gauge:
    """Numbers that come and go; whoever knows them says at start-up how they are read."""

    name: str
    says: str
    labels: Labels = ()
    read: Callable[[], Mapping[Labels, float]] = dict

    def __post_init__(self) -> None:
        METRICS[self.name] = self


@dataclass
class Histogram:
    """How often a value fell under each bound, and the sum of all values. Threads may share it."""

    name: str
    says: str
    bounds: tuple[float, ...]
    labels: Labels = ()
    seen: dict[Labels, list[float]] = field(default_factory=dict)
    """By labels: how many under each bound, how many over all, the sum."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        METRICS[self.name] = self

    def see(self, value: float, *labels: str) -> None:
        """Count a value."""
        with self._lock:
            seen = self.seen.get(labels)
            if seen is None:
                seen = self.seen.setdefault(labels, [0.0] * (len(self.bounds) + 2))
            seen[bisect_left(self.bounds, value)] += 1
            seen[-1] += value


# This process

BUILD = Gauge("evapp_build_info", "Always 1; the labels say what runs.", ("version", "process", "python"))
LOOP = Gauge("evapp_loop_lag_seconds", "How late the event loop came to the last scrape.")
BUS_UP = Gauge("evapp_bus_up", "1 while Redis joins this process to the others; nothing without EVAPP_REDIS_URL.")

# The chargers' side

CHARGERS = Gauge("evapp_chargers_connected", "Chargers whose socket this process holds.")
HANDSHAKES = Counter("evapp_handshakes", "Chargers at the door, by what became of them.", ("outcome",))
MESSAGES = Counter("evapp_ocpp_messages", "Messages of chargers, by what they were answered.", ("action", "outcome"))
CALLS = Counter("evapp_ocpp_calls", "What chargers were asked, by what came of it.", ("action", "outcome"))
CALL_SECONDS = Histogram("evapp_ocpp_call_seconds", "From question to the charger's answer.", ANSWERS, ("action",))
CALLS_WAITING = Gauge("evapp_ocpp_calls_waiting", "Questions that wait for their turn at a charger.")

# The database

DATABASE_UP = Gauge("evapp_database_up", "1 when the database answered this scrape.")
COMMIT_SECONDS = Histogram(
    "evapp_commit_seconds", "A write transaction from its begin to its commit, by kind.", MOMENTS, ("kind",)
)
BATCH_ITEMS = Histogram("evapp_batch_items", "Items written by one transaction, by what they are.", CROWDS, ("what",))
WRITER_QUEUE = Gauge("evapp_writer_queue", "Transactions and batches that wait for the writer, or are being written.")
REPEATED = Counter("evapp_transactions_repeated", "Transactions run again after a lock or a lost race.")

# Charges and money; these are read from the database, and the same in every process

SESSIONS = Gauge("evapp_sessions", "Charges that are not over, by state.", ("state",))
OVERDUE = Gauge("evapp_overdue_seconds", "How long ago the oldest open deadline passed, by kind.", ("kind",))
FINDINGS = Gauge("evapp_findings_open", "Findings that nobody has resolved, by kind.", ("kind",))
AUDIT_BROKEN = Gauge("evapp_ledger_audit_broken", "Rules of the ledger that the audit found broken, not yet resolved.")
AUDIT_AGE = Gauge("evapp_ledger_audit_age_seconds", "Since the last audit of the ledger that ended well.")
RECHARGES = Counter("evapp_recharges", "Recharges that came to a state, by state.", ("state",))
SWEEP_AGE = Gauge("evapp_sweep_age_seconds", "Since each sweep of this process last ended well.", ("sweep",))

# The drivers' side

REQUESTS = Counter("evapp_http_requests", "Requests, by first part of the path and status.", ("door", "status"))
REQUEST_SECONDS = Histogram("evapp_http_request_seconds", "From request to the end of its answer.", MOMENTS, ("door",))
EVENTS = Counter("evapp_events", "Events of open pages, by outcome; foreign: no page of ours sends it.", ("outcome",))
SIGN_INS = Counter("evapp_sign_ins", "Tries to sign in, by outcome.", ("outcome",))
WEBHOOKS = Counter("evapp_webhooks", "Webhooks of the payment gateway, by outcome.", ("outcome",))
BROWSERS = Gauge("evapp_browsers_watching", "Browsers that are told what changes.")
PUSHES = Counter("evapp_web_pushes", "Notices to browsers while evapp is closed, by what came of them.", ("outcome",))
PUSHES_PENDING = Gauge("evapp_pushes_pending", "Browsers that have not been told the newest yet.")
PUSH_SECONDS = Histogram("evapp_push_seconds", "From what happened to a browser's socket.", MOMENTS)
