"""Money, energy and time as people in India write them, made from whole numbers and aware times."""

from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal

from evapp.texts import language, t

IST = timezone(timedelta(hours=5, minutes=30), "IST")
"""India has one time zone and no summer time, so no zone database is needed."""


def rupees(paise: int) -> str:
    """Exact rupees from paise: 124050 -> ₹1,240.50, 25000000 -> ₹2,50,000.00, -500 -> −₹5.00."""
    return _currency(paise, "¤#,##,##0.00")


def whole_rupees(paise: int) -> str:
    """Rupees without paise where there are none: 100000 -> ₹1,000; 100050 stays ₹1,000.50."""
    return rupees(paise) if paise % 100 else _currency(paise, "¤#,##,##0")


def signed_rupees(paise: int) -> str:
    """An amount that comes or goes: 50000 -> +₹500.00, -13575 -> −₹135.75, 0 -> ₹0.00."""
    return ("+" if paise > 0 else "") + rupees(paise)


def per_kwh(paise: int) -> str:
    """A tariff: 1820 -> ₹18.20/kWh."""
    return f"{rupees(paise)}/kWh"


def kwh(wh: int, places: int = 2) -> str:
    """Watt-hours as kWh without the unit: 7456 -> 7.46. A receipt shows three places, exactly."""
    return _thousandth(wh, places)


def kw(w: int) -> str:
    """Watts as kW without the unit: 6940 -> 6.9."""
    return _thousandth(w, 1)


def rated_kw(w: int) -> str:
    """A nameplate's power as kW without the unit: 60000 -> 60, 7400 -> 7.4."""
    return _thousandth(w, 1 if w % 1000 else 0)


def clock(at: datetime) -> str:
    """The time of day in India: 5:02 pm. `at` is an aware time."""
    return format_time(at.astimezone(IST), "short", locale=language().locale).replace("\u202f", " ")


def hour(minute: int) -> str:
    """A minute of the day: 1320 -> 10:00 pm."""
    return clock(datetime(2000, 1, 1, minute // 60, minute % 60, tzinfo=IST))


def day(at: datetime) -> str:
    """The date in India: 22 Nov 2026. `at` is an aware time."""
    return format_date(at.astimezone(IST), "d MMM y", locale=language().locale)


def month(at: datetime) -> str:
    """The month in India: November 2026. `at` is an aware time."""
    return format_date(at.astimezone(IST), "MMMM y", locale=language().locale)


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


def _currency(paise: int, pattern: str) -> str:
    text = format_currency(
        Decimal(abs(paise)).scaleb(-2), "INR", format=pattern, locale=language().locale, currency_digits=False
    )
    return ("−" if paise < 0 else "") + text


def _thousandth(number: int, places: int) -> str:
    step = Decimal(1).scaleb(-places)
    value = Decimal(number).scaleb(-3).quantize(step, ROUND_HALF_UP)
    return format_decimal(value, format="#,##,##0." + "0" * places, locale=language().locale)
