"""What a driver is told when something has happened, in the same words on an open page and while evapp is closed."""

from datetime import datetime

from domain import charging
from domain.history import Charge
from domain.models import ChargingSession, SessionState, now
from evapp.components.money import clock, duration, kwh, rupees, whole_rupees
from evapp.texts import later, t
from evapp.texts.prices import idle_words

SHORT = {
    (False, True): later("About {time} left at this power. Add money to keep charging."),
    (False, False): later("{left} is left for this charge. Add money to keep charging."),
    (True, True): later("About {time} left at this power. One charge goes up to {cap}; start again to go on."),
    (True, False): later("{left} is left for this charge. One charge goes up to {cap}; start again to go on."),
}
"""Capped by what one charge may cost, power flowing → what is said of the end of the money."""


def ended(charge: Charge) -> str:
    """How a charge ended, or why it never began."""
    if charge.session.state == SessionState.CANCELLED:
        return t(charging.explain(charge.session))
    words = (
        later("No final reading of your charge at {charger} yet. By the last one it is {energy} kWh, {cost}.")
        if charge.session.state == SessionState.INTERRUPTED
        else later("Your charge at {charger} has ended: {energy} kWh, {cost}.")
    )
    return t(words, charger=charge.session.charger_id, energy=kwh(charge.energy_wh), cost=rupees(charge.cost_paise))


def idling(session: ChargingSession) -> str:
    """A cable stays in the car and no energy flows: until when that costs nothing, and what it costs then."""
    over = session.state == SessionState.SETTLED
    begun = t("The cable is still in the car.") if over else t("Your car takes no energy now.")
    return f"{begun} {idle_words(session, now())}"


def added(paise: int) -> str:
    """A payment has come into the wallet."""
    return t("{sum} was added.", sum=whole_rupees(paise))


def freed(charger_id: str, at: datetime) -> str:
    """A charger that the driver waits for is free."""
    return t("{charger} became free at {time}.", charger=charger_id, time=clock(at))


def running_short(left_paise: int, per_hour_paise: int, cap_paise: int) -> str:
    """The money of a charge ends soon; `cap_paise` is what one charge may cost where that ends it, else 0."""
    left_paise = max(0, left_paise)
    return t(
        SHORT[cap_paise > 0, per_hour_paise > 0],
        time=duration(_calm(left_paise * 3600 // per_hour_paise)) if per_hour_paise > 0 else "",
        left=rupees(left_paise),
        cap=whole_rupees(cap_paise),
    )


def _calm(seconds: int) -> int:
    """Whole minutes, from ten on whole five: a notice that is read aloud must not change with every reading."""
    return seconds - seconds % (300 if seconds > 600 else 60)
