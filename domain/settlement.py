"""What a charge costs in the end: the bill from the meter, debited exactly once, corrected at most once."""

from datetime import timedelta

from sqlmodel import Session

from domain import findings, receipts, wallet
from domain.models import ChargingSession, Connector, HoldState, SessionState, now
from domain.money import plain_rupees
from domain.tariffs import Price

UNKNOWN_POWER_W = 400_000
"""No charger of 1.6 gives more; the cap where nobody told us a connector's power."""
MARGIN_WH = 500
"""Registers count in steps and clocks in seconds: so much is never called implausible."""
LARGEST_REGISTER = 10**9
"""Wh; what a register says beyond is an error (payments.md C17)."""
FAULT_REASONS = ("EmergencyStop", "HardReset", "PowerLoss", "Reboot", "Other")
"""Reasons of StopTransaction that are not the driver's doing (ocpp.md, 4.10)."""


def price_of(session: ChargingSession) -> Price:
    """The tariff the session started with."""
    return Price(session.paise_per_kwh, session.gst_basis_points)


def cost_of(session: ChargingSession, energy_wh: int) -> int:
    """Paise for `energy_wh` at the session's own tariff."""
    return price_of(session).cost(energy_wh)


def plausible_wh(power_w: int, duration: timedelta) -> int:
    """The most energy a connector can have given in so long, with a tenth for its nameplate (payments.md C19)."""
    seconds = max(0, int(duration.total_seconds()))
    return (power_w or UNKNOWN_POWER_W) * seconds * 11 // 36_000 + MARGIN_WH


def nameplate_w(db: Session, session: ChargingSession) -> int:
    """The most power the session's connector gives, in W; 0 where nobody told us."""
    connector = db.get(Connector, (session.charger_id, session.connector_number))
    return connector.max_power_w if connector else 0


def settle(db: Session, session: ChargingSession, meter_stop_wh: int | None, *, estimated: bool = False) -> None:
    """Debit the driver for a finished charge, exactly once; a real stop after an estimate corrects it, once.

    Cost is whole paise from whole watt-hours at the tariff the session started with. What the wallet cannot cover
    becomes arrears, so a wallet is never negative. Nothing delivered costs nothing and makes no receipt (C29). The
    guard is the session's own row, because a debit of nothing leaves no transfer (payments.md 2.3).
    """
    assert session.id is not None
    if session.settled_at is not None and not session.estimated:
        return
    energy_wh = _billed_energy(db, session, meter_stop_wh, estimated)
    cost_paise = cost_of(session, energy_wh)
    gst_paise = price_of(session).gst(cost_paise)
    if session.user_id is not None:
        key = f"session:{session.id}{':correction' if session.settled_at else ''}"
        before = (session.cost_paise, session.gst_paise) if session.settled_at else (0, 0)
        # All accounts at once, in their order: a recharge of the same driver locks them so, too.
        wallet.lock(db, [*_accounts(session.user_id), wallet.REVENUE, wallet.GST])
        wallet.release(db, session.id, HoldState.SETTLED)
        _debit(db, session, session.user_id, key, cost_paise - before[0], gst_paise - before[1], energy_wh)
        _clear_arrears(db, session, session.user_id, key)
        if cost_paise and not session.receipt_number:
            session.receipt_number = receipts.next_number(db, now())
    session.state, session.settled_at, session.due_at = SessionState.SETTLED, session.settled_at or now(), None
    session.energy_wh, session.cost_paise, session.gst_paise = energy_wh, cost_paise, gst_paise
    session.meter_stop_wh, session.estimated, session.suspended, session.power_w = meter_stop_wh, estimated, "", 0
    db.add(session)
    db.flush()
    if session.review:
        findings.note(db, "review", session.ref, session.review)


def _billed_energy(db: Session, session: ChargingSession, meter_stop_wh: int | None, estimated: bool) -> int:
    """meterStop - meterStart when that can be true, else what the samples add up to (ocpp.md Q35, Q38)."""
    start, power_w = session.meter_start_wh or 0, nameplate_w(db, session)
    most = plausible_wh(power_w, _longest(session))
    if meter_stop_wh is None:
        if not estimated:
            session.review = "The charger named no meterStop; billed by samples."
        return min(session.energy_wh, most)
    energy_wh = meter_stop_wh - start
    if energy_wh < 0 or meter_stop_wh > LARGEST_REGISTER:
        session.review = f"meterStop {meter_stop_wh} does not fit meterStart {start}; billed by samples."
        return min(session.energy_wh + _since_last_sample(session, meter_stop_wh, power_w), most)
    if energy_wh > most:
        billed = min(session.energy_wh, most) if session.energy_wh else most
        session.review = f"{energy_wh} Wh is more than the connector can give in that time; billed {billed} Wh."
        return billed
    return energy_wh


def _longest(session: ChargingSession) -> timedelta:
    """How long the charge can have taken: no driver's charge begins before he asks for it, whatever its clock says."""
    begun = min(filter(None, (session.requested_at, session.started_at)))
    ended = max(filter(None, (session.stopped_at, session.sampled_at)), default=begun)
    return max(timedelta(0), ended - begun)


def _since_last_sample(session: ChargingSession, meter_stop_wh: int, power_w: int) -> int:
    """What a register that does not fit meterStart has risen since its last sample, if that can be."""
    if session.sampled_at is None or session.meter_wh is None or session.stopped_at is None:
        return 0
    rise = meter_stop_wh - session.meter_wh
    return rise if 0 <= rise <= plausible_wh(power_w, session.stopped_at - session.sampled_at) else 0


def _accounts(user_id: int) -> tuple[str, str]:
    return wallet.wallet_code(user_id), wallet.due_code(user_id)


def _debit(
    db: Session, session: ChargingSession, user_id: int, key: str, cost_paise: int, gst_paise: int, energy_wh: int
) -> None:
    """Post the cost, or the difference to an estimate: from the wallet's free money, then to arrears, or back."""
    if not cost_paise:
        return
    code, due = _accounts(user_id)
    money = wallet.balance(db, user_id)
    to_wallet = -min(cost_paise, money.free_paise) if cost_paise > 0 else max(0, -cost_paise - money.arrears_paise)
    to_due = -cost_paise - to_wallet
    what = "Correction: charging" if session.settled_at else "Charging"
    wallet.post(
        db,
        key,
        "charging",
        {code: to_wallet, due: to_due, wallet.REVENUE: cost_paise - gst_paise, wallet.GST: gst_paise},
        ref=session.ref,
        description=f"{what} at {session.charger_id}, connector {session.connector_number}, "
        f"{energy_wh // 1000}.{energy_wh % 1000:03d} kWh",
        event_at=session.stopped_at,
    )
    session.arrears_paise = max(0, session.arrears_paise - to_due)
    if session.arrears_paise > 5_000:
        session.review = session.review or f"{plain_rupees(session.arrears_paise)} went to arrears."


def _clear_arrears(db: Session, session: ChargingSession, user_id: int, key: str) -> None:
    """What an earlier charge left owed is paid from what this one's hold sets free: nobody owes who has money."""
    code, due = _accounts(user_id)
    money = wallet.balance(db, user_id)
    paid = min(money.free_paise, money.arrears_paise)
    if paid:
        wallet.post(
            db,
            f"{key}:arrears",
            "charging",
            {code: -paid, due: paid},
            ref=session.ref,
            description="Paid what an earlier charge left owed",
        )
