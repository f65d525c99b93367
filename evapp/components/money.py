"""Money, energy and time as people in India write them, made from whole numbers and aware times."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache, lru_cache

from babel.dates import format_date, format_time
from babel.numbers import get_currency_symbol, get_decimal_symbol, get_group_symbol, get_minus_sign_symbol

from domain import identity
from domain.india import INDIA
from evapp.texts import language, t

_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]*)?")


def plainly(typed: str) -> str:
    """An amount for the domain's one parser, from how we show it and people copy it: "₹ 1,00,000" is "100000"."""
    amount = "".join(typed.translate(identity.MARKS).replace("₹", "").split())
    return amount.replace(",", "") if _GROUPED.fullmatch(amount) else amount


def rupees(paise: int) -> str:
    """Exact rupees from paise: 124050 -> ₹1,240.50, 25000000 -> ₹2,50,000.00, -500 -> −₹5.00."""
    return _currency(paise)


def whole_rupees(paise: int) -> str:
    """Rupees without paise where there are none: 100000 -> ₹1,000; 100050 stays ₹1,000.50."""
    return rupees(paise) if paise % 100 else _currency(paise, whole=True)


def signed_rupees(paise: int) -> str:
    """An amount that comes or goes: 50000 -> +₹500.00, -13575 -> −₹135.75, 0 -> ₹0.00."""
    return ("+" if paise > 0 else "") + rupees(paise)


def per_kwh(paise: int) -> str:
    """A tariff: 1820 -> ₹18.20/kWh."""
    return f"{rupees(paise)}/kWh"


def kwh(wh: int, places: int = 2) -> str:
    """Watt-hours as kWh without the unit: 7456 -> 7.46. A receipt shows three places, exactly."""
    return _thousandth(wh, places)


def counted(number: int) -> str:
    """How many there are: 1204 -> 1,204."""
    return _grouped(number, _signs(language().locale).group)


def kw(w: int) -> str:
    """Watts as kW without the unit: 6940 -> 6.9."""
    return _thousandth(w, 1)


def rated_kw(w: int) -> str:
    """A nameplate's power as kW without the unit: 60000 -> 60, 7400 -> 7.4."""
    return _thousandth(w, 1 if w % 1000 else 0)


def clock(at: datetime) -> str:
    """The time of day in India: 5:02 pm. `at` is an aware time."""
    here = at.astimezone(INDIA)
    return _clock(here.hour, here.minute, language().locale)


def hour(minute: int) -> str:
    """A minute of the day: 1320 -> 10:00 pm."""
    return clock(datetime(2000, 1, 1, minute // 60, minute % 60, tzinfo=INDIA))


def day(at: datetime) -> str:
    """The date in India: 22 Nov 2026. `at` is an aware time."""
    return format_date(at.astimezone(INDIA), "d MMM y", locale=language().locale)


def month(at: datetime) -> str:
    """The month in India: November 2026. `at` is an aware time."""
    return format_date(at.astimezone(INDIA), "MMMM y", locale=language().locale)


def moment(at: datetime) -> str:
    """Date and time in India: 22 Nov 2026, 5:02 pm. `at` is an aware time."""
    return f"{day(at)}, {clock(at)}"


def duration(seconds: int) -> str:
    """How long something took: 38 -> 38 s, 240 -> 4 min, 3858 -> 1 h 04 m."""
    if seconds < 60:
        return t("{seconds} s", seconds=max(0, seconds))
    hours, minutes = divmod(seconds // 60, 60)
    if not hours:
        return t("{minutes} min", minutes=minutes)
    return t("{hours} h {minutes} m", hours=hours, minutes=f"{minutes:02d}")


@lru_cache(maxsize=2 * 1440)
def _clock(hour: int, minute: int, locale: str) -> str:
    return format_time(time(hour, minute), "short", locale=locale).replace("\u202f", " ")


# Every push of a charge writes a dozen numbers, for which Babel would read its patterns anew each time. What it knows
# of a locale is asked once; a test holds these to what Babel itself would write.


@dataclass(frozen=True, slots=True)
class _Signs:
    """How a locale writes numbers of India."""

    rupee: str
    group: str
    point: str
    minus: str


@cache
def _signs(locale: str) -> _Signs:
    return _Signs(
        rupee=get_currency_symbol("INR", locale),
        group=get_group_symbol(locale),
        point=get_decimal_symbol(locale),
        minus=get_minus_sign_symbol(locale),
    )


def _currency(paise: int, *, whole: bool = False) -> str:
    signs = _signs(language().locale)
    rupees, rest = divmod(abs(paise), 100)
    text = signs.rupee + _grouped(rupees, signs.group)
    return ("−" if paise < 0 else "") + (text if whole else f"{text}{signs.point}{rest:02d}")


def _thousandth(number: int, places: int) -> str:
    """A thousandth of a number, rounded half away from zero."""
    signs = _signs(language().locale)
    step = 10 ** (3 - places)
    units, rest = divmod((abs(number) + step // 2) // step, 10**places)
    text = _grouped(units, signs.group) + (f"{signs.point}{rest:0{places}d}" if places else "")
    return (signs.minus if number < 0 and (units or rest) else "") + text


def _grouped(number: int, mark: str) -> str:
    """1234567 -> 12,34,567."""
    head, tail = f"{number}"[:-3], f"{number}"[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return mark.join([*reversed(pairs), tail])
