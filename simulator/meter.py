"""One connector's energy meter and the car that draws from it: whole watts, and a register that only grows."""

from datetime import datetime
from random import Random

from simulator.record import Payload

RAMP_PERCENT = (30, 70, 100)
"""Share of full power in the first samples of a charge."""
TAPER_FROM_PERCENT = 80
"""State of charge from which a battery takes less and less."""
TAPER_PER_PERCENT = 5
"""Percent of full power still taken for each percent of battery still empty."""
WATT_MILLISECONDS = 3_600_000
"""In one watt-hour."""

VOLTS = {"AC": 230, "DC": 400}
BATTERY_WH = {"AC": 40_000, "DC": 75_000}


class Meter:
    """Integrates power over time; the same seed gives the same car, the same wobble and the same register."""

    def __init__(self, *, max_power_w: int, supply: str, speed: float, seed: str) -> None:
        self.max_power_w, self.supply, self.speed = max_power_w, supply, speed
        self._random = Random(seed)
        self._register = self._random.randrange(100_000, 9_000_000) * WATT_MILLISECONDS
        self._read_at: datetime | None = None
        self._step = 0
        self._drawing = False
        self.power_w = 0
        self.volts = VOLTS[supply]
        self.new_car()

    def new_car(self, soc_percent: int | None = None) -> None:
        """Another battery drives up, as full as that, or somewhere between 15 and 45 percent."""
        soc_percent = self._random.randrange(15, 45) if soc_percent is None else soc_percent
        self._battery = BATTERY_WH[self.supply] * WATT_MILLISECONDS
        self._stored = self._battery * soc_percent // 100

    @property
    def soc_percent(self) -> int:
        """State of charge of the car's battery."""
        return self._stored * 100 // self._battery

    @property
    def full(self) -> bool:
        """Whether the car takes no more."""
        return self._stored >= self._battery

    def read(self, at: datetime) -> int:
        """The lifetime register in Wh, counted up to this moment."""
        if self._read_at is not None and at > self._read_at:
            milliseconds = round((at - self._read_at).total_seconds() * 1000 * self.speed)
            energy = self.power_w * milliseconds
            if self._drawing:
                energy = min(energy, self._battery - self._stored)
            self._register += energy
            self._stored += energy
        self._read_at = at
        return self._register // WATT_MILLISECONDS

    def draw(self, drawing: bool, at: datetime) -> None:
        """Let energy flow from now on, or no longer."""
        self.read(at)
        if drawing != self._drawing:
            self._drawing, self._step = drawing, 0
            self.power_w = 0
            self.step()

    def step(self) -> None:
        """Choose the power until the next step: up the ramp, then a wobble, and a taper near the full battery."""
        if not self._drawing or self.full:
            self.power_w = 0
            return
        percent = RAMP_PERCENT[min(self._step, len(RAMP_PERCENT) - 1)]
        if self.soc_percent >= TAPER_FROM_PERCENT:
            percent = min(percent, TAPER_PER_PERCENT * (100 - self.soc_percent))
        per_mille = self._random.randrange(985, 1001)
        self.power_w = self.max_power_w * percent * per_mille // 100_000
        self.volts = VOLTS[self.supply] + self._random.randrange(-2, 3)
        self._step += 1

    def sample(self, measurands: list[str], context: str, at: datetime) -> list[Payload]:
        """OCPP sampled values (1.6 section 7.43) of what the connector can measure, in the order asked for."""
        register_wh = self.read(at)
        values = {
            "Energy.Active.Import.Register": (register_wh, "Wh", "Outlet"),
            "Power.Active.Import": (self.power_w, "W", "Outlet"),
            "Current.Import": (_tenths(self.power_w * 10 // self.volts), "A", "Outlet"),
            "Voltage": (self.volts, "V", "Outlet"),
            "SoC": (self.soc_percent, "Percent", "EV"),
        }
        return [
            {"value": str(value), "context": context, "measurand": measurand, "location": location, "unit": unit}
            for measurand in measurands
            for value, unit, location in [values[measurand]]
        ]


def _tenths(count: int) -> str:
    return f"{count // 10}.{count % 10}"


def measurands(supply: str) -> tuple[str, ...]:
    """What a meter can measure; only a DC charger learns the car's state of charge."""
    ac = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage")
    return (*ac, "SoC") if supply == "DC" else ac
