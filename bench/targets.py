"""What is to be reached (performance.md, T1-T9), what was measured, and the gate that every change must pass."""

from dataclasses import dataclass

GATE = 0.7
"""Of a target; where not even that is reached, of what is. Quartiles move by a fifth and single rounds by two fifths on
a shared machine, so nothing is gated at the figure itself."""


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and which way is better."""

    value: float
    unit: str = "x"
    more: bool = True
    reached: float | None = None
    """The figure of bench/README.md, where it is further from the target than the gate."""

    def share(self, measured: float) -> float:
        """How much of the target is reached; 1 is all of it."""
        return measured / self.value if self.more else self.value / max(measured, 1e-9)

    @property
    def gate(self) -> float:
        """The share below which a change has made it worse."""
        return GATE * (1.0 if self.reached is None else self.share(self.reached))


TARGETS = {
    "T1 MeterValues / ocpp defaults": Target(25, reached=13.2),
    "T1 MeterValues / websockets echo": Target(1.0, reached=0.49),
    "T1 MeterValues / ocpp-rpc strict": Target(1.4, reached=0.39),
    "T1 MeterValues, session layer / ocpp defaults": Target(25),
    "T1 MeterValues, session layer / websockets echo": Target(1.0),
    "T1 MeterValues, session layer / ocpp-rpc strict": Target(1.4, reached=0.80),
    "T2 any other action / ocpp defaults": Target(10, reached=5.7),
    "T2 any other action / websockets echo": Target(0.5),
    "T2 any other action, session layer / ocpp defaults": Target(10),
    "T2 any other action, session layer / websockets echo": Target(0.5),
    "T4 with commit / ocpp + SQLModel": Target(30),
    "T4 with commit / websockets echo": Target(0.6),
    "T4 durable values a second of one core": Target(60_000, "/s"),
    "T5 writer / SQLModel per message": Target(50),
    "T5 values a second of one core": Target(300_000, "/s"),
    "T5 values a second of one core, PostgreSQL": Target(100_000, "/s"),
    "T5 p99 with 100 in flight": Target(25, " ms", more=False),
    "T6 memory of a charger at 1,000": Target(24, " KiB", more=False),
    "T6 memory / ocpp defaults": Target(0.4, more=False),
    "T7 storm / ocpp defaults": Target(0.7, more=False),
    "T7 storm / ocpp-rpc strict": Target(1.2, more=False),
    "T7 storm": Target(5, " s", more=False),
    "T8 handshake with a key / without": Target(1.4, more=False),
    "T9 a million values": Target(20, " MiB", more=False),
    "T9 a million values, PostgreSQL": Target(35, " MiB", more=False),
    "T9 latest values of 50 connectors": Target(1, " ms", more=False),
    "T9 sessions, last page / first": Target(2, more=False),
}
"""T3 is OCPP 2.0.1, which is not spoken here; T10 is the bus's (bench/push.py has the way to the browser)."""

UNASKED = (
    "T4 durable values a second of one core",
    "T5 values a second of one core",
    "T5 values a second of one core, PostgreSQL",
    "T7 storm / ocpp-rpc strict",
)
"""By `make bench-gate`, and so by CI: rates, and two seconds beside one and a half by the clock, are the machine's as
much as ours."""

measured: dict[str, float] = {}


def note(name: str, value: float) -> None:
    """Keep a figure; what is no target is shown by its own table only."""
    if name in TARGETS:
        measured[name] = value


def report() -> list[str]:
    """Print what was measured against its target; gives the names of what is below the gate."""
    if not measured:
        return []
    print(f"\n  {'target':<54}{'wanted':>12}{'measured':>14}   reached")
    for name, value in measured.items():
        target = TARGETS[name]
        wanted = f"{'' if target.more else '<= '}{target.value:g}{target.unit}"
        print(f"  {name:<54}{wanted:>12}{value:>12.2f}{target.unit:<4}{target.share(value):>6.0%}")
    return [name for name, value in measured.items() if TARGETS[name].share(value) < TARGETS[name].gate]
