"""A charge of the past put into words: what its receipt shows."""

from collections.abc import Sequence
from datetime import datetime

from domain import charging, settlement
from domain.history import Charge
from domain.models import PaperKind, Receipt, SessionState, now
from domain.receipts import is_by_readings
from domain.settlement import FAULT_REASONS
from evapp.components.money import clock, day, duration, kwh, moment, per_kwh, rupees, whole_rupees
from evapp.components.receipt import Bill, BillLine
from evapp.components.spark import spark_points
from evapp.texts import later, t
from evapp.texts.prices import idle_words, line_words

ENDED_BY = {
    "driver": later("You stopped it"),
    "funds": later("Stopped: your wallet was nearly used up"),
    "limit": later("Stopped at your limit"),
    "operator": later("Stopped by the operator"),
    "late": later("Stopped: the plug came too late"),
    "cancelled": later("Stopped: it began after the start was cancelled"),
    "stranger": later("Stopped: this card or code may not charge here"),
    "reserved": later("Stopped: the connector was reserved for somebody else"),
    "card-blocked": later("Stopped: this card is blocked"),
    "card-expired": later("Stopped: this card has expired"),
    "card-concurrent": later("Stopped: this card was charging elsewhere"),
    "card-unfunded": later("Stopped: your wallet had too little for a start"),
}
"""Who wanted the end."""

REASONS = {
    "EVDisconnected": later("The car was unplugged"),
    "Local": later("Stopped at the charger"),
    "EmergencyStop": later("Emergency stop at the charger"),
    "PowerLoss": later("The charger lost its power"),
    "Reboot": later("The charger restarted"),
    "HardReset": later("The charger restarted"),
    "SoftReset": later("The charger restarted"),
    "DeAuthorized": later("Stopped: the charger no longer accepted this card or code"),
    "UnlockCommand": later("The plug was unlocked"),
    "Remote": later("Stopped remotely"),
    "Other": later("The charger ended it because of a fault"),
}
"""OCPP's reasons of a stop, in words."""


FAIR = {
    True: later("The charge was cut short. You paid only for the units it delivered."),
    False: later("The charge was cut short. You paid only for what is listed above."),
}
"""Whether energy is all that the bill asks for → what a fault means for it."""


def curve_of(readings: Sequence[tuple[datetime, int]]) -> tuple[str, str]:
    """The power of a charge as points of a curve, and in a sentence; both empty for less than two readings (W)."""
    watts = [power for _, power in readings]
    if len(watts) < 2:
        return "", ""
    highest = max(watts)
    words = t("Power over the charge; the highest was {power} kW.", power=kwh(highest, 1))
    return spark_points(watts, highest), words


def bill_of(charge: Charge) -> Bill:
    """The bill of a charge that is over, or the reason why it never began."""
    session = charge.session
    exact = kwh(charge.energy_wh, 3)
    lines = settlement.bill(session)
    begun, ended = charge.begun_at, charge.ended_at
    plain = [line.name for line in lines] in ([], ["energy"])
    rate_paise = lines[0].rate_paise if lines else session.paise_per_kwh
    faulty = session.stop_reason in FAULT_REASONS and not session.estimated
    return Bill(
        ref=session.ref,
        state=_state(charge),
        estimate=_estimate(charge),
        title=t("{charger}, {day}", charger=session.charger_id, day=day(begun)),
        charger=session.charger_id,
        place=charge.place,
        day=day(begun),
        started=moment(begun),
        stopped=moment(ended) if ended else "",
        time=duration(int(charge.duration.total_seconds())),
        energy=kwh(charge.energy_wh),
        exact=t("{energy} kWh", energy=exact),
        price=per_kwh(session.paise_per_kwh) if session.terms is None else "",
        lines=[] if plain else [BillLine(line_words(line), rupees(line.paise)) for line in lines],
        notes=[_note(note) for note in charge.notes],
        idle=idle_words(session, now()),
        cost=rupees(charge.cost_paise),
        sum=f"{exact} kWh × {per_kwh(rate_paise)} = {rupees(charge.cost_paise)}" if plain else "",
        gst=rupees(session.gst_paise) if session.gst_paise else "",
        left=_left(charge),
        arrears=rupees(charge.owed_paise) if charge.owed_paise else "",
        reason=_reason(charge),
        fair=t(FAIR[plain]) if faulty else "",
        number=session.receipt_number,
        buyer=f"{charge.buyer.name} · {charge.buyer.gstin}" if charge.buyer else "",
        meter=(meter := _meter(charge)),
        by_readings=bool(meter) and is_by_readings(session.meter_start_wh, session.meter_stop_wh, charge.energy_wh),
    )


def _note(note: Receipt) -> BillLine:
    words = t("Credit note (PDF)") if note.kind == PaperKind.CREDIT_NOTE else t("Debit note (PDF)")
    return BillLine(words, note.number.replace("/", "-"))


def _state(charge: Charge) -> str:
    if charge.session.state == SessionState.CANCELLED:
        return "cancelled"
    return "estimated" if charge.session.estimated else "finished"


def _estimate(charge: Charge) -> str:
    if not charge.session.estimated:
        return ""
    if charge.session.settled_at is None and charge.session.due_at is not None:
        return t(
            "The sum is set aside. The charger's final reading corrects it, once; if none comes by {time}, "
            "you pay this.",
            time=moment(charge.session.due_at),
        )
    return t(
        "You paid {sum} by this estimate. A final reading that still comes corrects it once, up or down.",
        sum=rupees(charge.cost_paise - charge.owed_paise),
    )


def _left(charge: Charge) -> str:
    paise = charge.left_paise
    return t("Wallet balance after it: {sum}", sum=rupees(paise)) if paise is not None else ""


def _reason(charge: Charge) -> str:
    session = charge.session
    if session.state == SessionState.CANCELLED:
        return t(charging.explain(session))
    # One that had delivered nothing when somebody wanted its end may never have begun, as where a card is refused.
    untold = session.energy_wh > 0 or session.stop_cause not in ENDED_BY
    if session.estimated and untold:
        return t(
            "The charger has sent no final reading since {time}", time=clock(charge.ended_at or session.updated_at)
        )
    if session.stop_cause == "funds" and charge.cap_paise:
        return t("Stopped: one charge goes up to {cap}", cap=whole_rupees(charge.cap_paise))
    return t(ENDED_BY.get(session.stop_cause) or REASONS.get(session.stop_reason, REASONS["Local"]))


def _meter(charge: Charge) -> str:
    session = charge.session
    if session.meter_start_wh is None or session.meter_stop_wh is None:
        return ""
    return f"{kwh(session.meter_start_wh, 3)} → {kwh(session.meter_stop_wh, 3)} kWh"
