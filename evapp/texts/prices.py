"""Prices and bills in words: what a charge will cost before it starts, and each line of what it did cost."""

from datetime import datetime

from domain import idling, settlement
from domain.india import DAY_MINUTES
from domain.models import ChargingSession
from domain.prices import MOST_IDLE_MINUTES, Line, Price
from evapp.components.money import clock, hour, kwh, per_kwh, rupees
from evapp.texts import later, t


def price_lines(price: Price) -> list[str]:
    """What a price asks for, one sentence each; nothing for a plain price per kWh, which is a figure."""
    if price.plain:
        return []
    return [*_hours(price), *_fees(price)]


def _hours(price: Price) -> list[str]:
    if not price.bands:
        return [t("{price} for energy.", price=per_kwh(price.paise_per_kwh))]
    hours = [
        t(
            "{price} from {begin} to {end}.",
            price=per_kwh(band.paise_per_kwh),
            begin=hour(band.since),
            end=hour(band.until),
        )
        for band in price.bands
    ]
    if sum((band.until - band.since) % DAY_MINUTES for band in price.bands) < DAY_MINUTES:
        hours.append(t("{price} at all other hours.", price=per_kwh(price.paise_per_kwh)))
    return hours


def _fees(price: Price) -> list[str]:
    fees = []
    if price.start_paise:
        fees.append(t("{sum} once, for the start.", sum=rupees(price.start_paise)))
    if price.per_minute_paise:
        fees.append(t("{sum} for each minute of charging.", sum=rupees(price.per_minute_paise)))
    if price.idle_per_minute_paise:
        fees.append(
            t(
                "{sum} for each minute that the cable stays in the car without charging, after {minutes} free minutes; "
                "at most {most}.",
                sum=rupees(price.idle_per_minute_paise),
                minutes=price.idle_after_minutes,
                most=rupees(price.idle_per_minute_paise * MOST_IDLE_MINUTES),
            )
        )
    return fees


def idle_words(session: ChargingSession, at: datetime) -> str:
    """What a cable that stays in the car costs, as it is at `at`; empty where it costs nothing."""
    return idle_sentence(idling.free_until(session), settlement.price_of(session), at)


def idle_sentence(free_until: datetime | None, price: Price, at: datetime) -> str:
    """The same of a cable that may stay in the car until `free_until`; empty for None."""
    if free_until is None:
        return ""
    words = (
        later("Unplug by {time}. After that each minute costs {sum}, at most {most}.")
        if at < free_until
        else later("Unplug now. Since {time} each minute costs {sum}, at most {most}.")
    )
    paise = price.idle_per_minute_paise
    return t(words, time=clock(free_until), sum=rupees(paise), most=rupees(paise * MOST_IDLE_MINUTES))


def line_words(line: Line) -> str:
    """What one line of a bill is for, and how it came about."""
    price = rupees(line.rate_paise)
    match line.name:
        case "start":
            return t("Start fee")
        case "goodwill":
            return t("Given back")
        case "time":
            return t("Time: {minutes} min × {price}", minutes=line.quantity, price=price)
        case "idle":
            return t("Cable left in the car: {minutes} min × {price}", minutes=line.quantity, price=price)
    return t("Energy: {energy} kWh × {price}", energy=kwh(line.quantity, 3), price=per_kwh(line.rate_paise))
