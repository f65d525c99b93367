"""What a charge costs: whole-number arithmetic from a price, what was taken and when, to lines of paise (ADR 0007)."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from domain import money
from domain.india import DAY_MINUTES, DAY_S, OFFSET_S

GAP_S = 900
"""Seconds that count between two readings at most: what nobody measured is not charged for."""
MOST_IDLE_MINUTES = 120
"""Minutes of idling that one charge pays at most."""
MOST_WH = 10_000_000
"""No estimate is of more: 10,000 kWh."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Band:
    """Paise per kWh from one minute of the Indian day on until another, through midnight where that is earlier."""

    since: int
    until: int
    paise_per_kwh: int

    def holds(self, minute: int) -> bool:
        """Whether this minute of the day is in it."""
        return (minute - self.since) % DAY_MINUTES < (self.until - self.since) % DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill. Name: start, energy, time, idle, goodwill; quantity: 1, Wh, minutes, minutes, 1; half up."""

    name: str
    quantity: int
    rate_paise: int
    paise: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a charge has taken so far: Wh by paise per kWh, seconds of charging, seconds of idling that cost."""

    wh: tuple[tuple[int, int], ...] = ()
    charging_s: int = 0
    idle_s: int = 0
    read_s: int = 0
    """The latest time at which the register was read, in seconds since 1970."""
    paused_s: int = 0
    """Seconds of pauses, by our own clock, that no reading has come after."""
    paused_since_s: int = 0
    """Since when it pauses, in seconds since 1970, as far as that is not counted; 0 where it does not."""

    @property
    def energy_wh(self) -> int:
        """Wh at whatever price."""
        return sum(wh for _, wh in self.wh)

    @classmethod
    def begun(cls, at: datetime) -> "Usage":
        """Nothing yet, from this moment on."""
        return cls(read_s=second(at))

    @classmethod
    def of(cls, text: str) -> "Usage":
        """From `text` of its own."""
        *figures, wh = json.loads(text)
        return cls(tuple((rate, taken) for rate, taken in wh), *figures)

    def until(self, at: datetime, *, pauses: bool) -> "Usage":
        """With what it paused until `at`; from then on it pauses or does not."""
        at_s = max(second(at), self.paused_since_s)
        paused_s = at_s - self.paused_since_s if self.paused_since_s else 0
        return replace(self, paused_s=self.paused_s + paused_s, paused_since_s=at_s if pauses else 0)

    @property
    def text(self) -> str:
        """As a session keeps it."""
        return json.dumps([self.charging_s, self.idle_s, self.read_s, self.paused_s, self.paused_since_s, self.wh])


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a charge would cost, line by line, and how many seconds it would take; 0 where no power is known."""

    lines: tuple[Line, ...]
    seconds: int

    @property
    def paise(self) -> int:
        """All lines together."""
        return total(self.lines)


@dataclass(frozen=True, slots=True)
class Price:
    """A tariff as a session keeps it: paise, GST included, and the GST inside it; all but the price per kWh optional.

    The start fee is paid once, time by the whole minute between readings in which the meter rose, idling by the whole
    minute after `idle_after_minutes` (ADR 0007). Outside the bands a kWh costs `paise_per_kwh`.
    """

    paise_per_kwh: int
    gst_basis_points: int
    start_paise: int = 0
    per_minute_paise: int = 0
    idle_after_minutes: int = 0
    idle_per_minute_paise: int = 0
    bands: tuple[Band, ...] = ()

    @classmethod
    def kept(cls, paise_per_kwh: int, gst_basis_points: int, terms: str | None) -> "Price":
        """The price of a session's three columns; `terms` is what `terms` gave."""
        return cls(paise_per_kwh, gst_basis_points, **_read(terms)) if terms else cls(paise_per_kwh, gst_basis_points)

    @property
    def terms(self) -> str | None:
        """The optional parts as JSON; None for a plain price per kWh."""
        if self.plain:
            return None
        fees = {name: getattr(self, name) for name in _FEES}
        bands = [[band.since, band.until, band.paise_per_kwh] for band in self.bands]
        return json.dumps({name: given for name, given in {**fees, "bands": bands}.items() if given})

    @property
    def plain(self) -> bool:
        """Whether energy is all that costs, always the same."""
        return not (self.start_paise or self.per_minute_paise or self.idle_per_minute_paise or self.bands)

    @property
    def free(self) -> bool:
        """Whether nothing can cost anything."""
        return not (self.dearest or self.start_paise or self.per_minute_paise or self.idle_per_minute_paise)

    @property
    def dearest(self) -> int:
        """Paise per kWh at the dearest hour."""
        return max(self.paise_per_kwh, *(band.paise_per_kwh for band in self.bands), 0)

    def lines(self, usage: Usage) -> tuple[Line, ...]:
        """The bill: each line is rounded half up to whole paise, and their sum is the cost.

        Without energy nothing costs anything (ui.md: 0 kWh is ₹0).
        """
        if not usage.energy_wh:
            return ()
        minutes, idle = usage.charging_s // 60, min(usage.idle_s // 60, MOST_IDLE_MINUTES)
        fees = (
            Line("time", minutes, self.per_minute_paise, minutes * self.per_minute_paise),
            Line("idle", idle, self.idle_per_minute_paise, idle * self.idle_per_minute_paise),
        )
        return (
            *([Line("start", 1, self.start_paise, self.start_paise)] if self.start_paise else []),
            *(Line("energy", wh, rate, money.cost(wh, rate)) for rate, wh in usage.wh if wh),
            *(fee for fee in fees if fee.paise),
        )

    def cost(self, usage: Usage) -> int:
        """Paise: the sum of the lines."""
        return total(self.lines(usage))

    def of_energy(self, wh: int) -> tuple[Line, ...]:
        """The bill of so much at the price per kWh, which is all of a plain price."""
        return self.lines(Usage(((self.paise_per_kwh, wh),)))

    def gst(self, cost_paise: int) -> int:
        """Paise of GST inside `cost_paise`; 0 while no GSTIN is set."""
        return money.gst_within(cost_paise, self.gst_basis_points)

    def after(self, usage: Usage, at: datetime, wh: int, most_s: int = GAP_S) -> Usage:
        """`usage` and a reading at `at` that found `wh` more, before which no more than `most_s` can have passed.

        All of it is at the lowest price in force since the reading before: nobody measured when it flowed. A clock that
        was set back counts no time until it is past the latest reading, so that it never counts any twice. Nor is the
        time of a pause any; what of it is longer than the time to this reading is left for the next.
        """
        read_s = second(at)
        since, until = min(usage.read_s, read_s), max(usage.read_s, read_s)
        passed_s = until - usage.read_s
        charged_s = passed_s - usage.paused_s
        usage = replace(usage, read_s=until, paused_s=max(0, -charged_s))
        if wh <= 0:
            return usage
        taken = dict(usage.wh)
        rate = self._lowest(since, until)
        taken[rate] = taken.get(rate, 0) + wh
        charging_s = usage.charging_s + max(0, min(charged_s, most_s, GAP_S))
        return replace(usage, wh=tuple(sorted(taken.items())), charging_s=charging_s)

    def fitted(self, usage: Usage, at: datetime, wh: int, most_s: int = GAP_S) -> Usage:
        """`usage` that comes to `wh` at the end: what is missing flowed since the last reading, what is too much was
        the dearest."""
        if wh >= usage.energy_wh:
            return self.after(usage, at, wh - usage.energy_wh, most_s)
        kept = []
        for rate, taken in usage.wh:
            kept.append((rate, min(taken, wh)))
            wh -= kept[-1][1]
        return replace(usage, wh=tuple(kept))

    def idled(self, usage: Usage, since: datetime, until: datetime) -> Usage:
        """`usage` and one time of idling, of which the first `idle_after_minutes` are free."""
        seconds = second(until) - second(since) - self.idle_after_minutes * 60
        return replace(usage, idle_s=usage.idle_s + max(0, seconds))

    def pace(self, power_w: int) -> int:
        """Paise an hour at this power, never less than it turns out to be; without power it idles."""
        if not power_w:
            return self.idle_per_minute_paise * 60
        return -(-power_w * self.dearest // 1000) + self.per_minute_paise * 60

    def at(self, moment: datetime) -> int:
        """Paise per kWh at a moment."""
        return self._rate(second(moment))

    def _rate(self, at_s: int) -> int:
        minute = (at_s + OFFSET_S) % DAY_S // 60
        return next((band.paise_per_kwh for band in self.bands if band.holds(minute)), self.paise_per_kwh)

    def _changes(self, since_s: int, until_s: int) -> list[int]:
        """The seconds after one and before another at which the price per kWh may change, in order."""
        borders = {minute * 60 for band in self.bands for minute in (band.since, band.until)}
        days = range((since_s + OFFSET_S) // DAY_S, (until_s + OFFSET_S) // DAY_S + 1)
        seconds = (day * DAY_S + border - OFFSET_S for day in days for border in borders)
        return sorted(at_s for at_s in seconds if since_s < at_s < until_s)

    def _lowest(self, since_s: int, until_s: int) -> int:
        until_s = min(until_s, since_s + DAY_S)
        return min(map(self._rate, (since_s, *self._changes(since_s, until_s))))


def estimate(price: Price, wh: int, power_w: int, at: datetime) -> Estimate:
    """What `wh` would cost from `at` on at a steady `power_w`: lines, their sum, and the seconds it takes.

    With no known power (0) all of it is at the price of `at`, and no time is counted.
    """
    if not power_w:
        return Estimate(price.lines(Usage(((price.at(at), wh),))), 0)
    begin, seconds = second(at), money.seconds_for(wh, power_w)
    end = begin + seconds
    taken: dict[int, int] = {}
    for since, until in pairwise((begin, *price._changes(begin, end), end)):
        flowed = min(wh, (until - begin) * power_w // 3600) - min(wh, (since - begin) * power_w // 3600)
        taken[price._rate(since)] = taken.get(price._rate(since), 0) + flowed
    return Estimate(price.lines(Usage(tuple(sorted(taken.items())), seconds)), seconds)


def affordable_wh(price: Price, paise: int, power_w: int, at: datetime) -> int:
    """The most Wh whose estimate does not exceed `paise`, and never more than 10,000 kWh."""
    if price.plain and price.paise_per_kwh:
        return min(money.energy_for(paise, price.paise_per_kwh), MOST_WH)
    least, most = 0, MOST_WH
    while least < most:
        middle = (least + most + 1) // 2
        if estimate(price, middle, power_w, at).paise <= paise:
            least = middle
        else:
            most = middle - 1
    return least


def total(lines: tuple[Line, ...]) -> int:
    """Paise of all lines."""
    return sum(line.paise for line in lines)


def second(moment: datetime) -> int:
    """Whole seconds since 1970: times of many readings add up to the time between the first and the last."""
    since = moment - _EPOCH
    return since.days * DAY_S + since.seconds


_FEES = ("start_paise", "per_minute_paise", "idle_after_minutes", "idle_per_minute_paise")


@lru_cache(maxsize=256)
def _read(terms: str) -> dict[str, Any]:
    given = json.loads(terms)
    return {**given, "bands": tuple(Band(*band) for band in given.get("bands", ()))}
