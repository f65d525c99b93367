"""What a charge costs in the end: the bill from the meter, debited exactly once, corrected at most once."""

from datetime import datetime, timedelta

from sqlmodel import Session

from domain import findings, money, receipts, traces, wallet
from domain.models import ChargingSession, Connector, HoldState, SessionState, now
from domain.money import plain_rupees
from domain.prices import Line, Price, Usage, total
from domain.sentences import CHARGED, CORRECTED, GIVEN_BACK, IDLED, PAID_OWED

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
    return Price.kept(session.paise_per_kwh, session.gst_basis_points, session.terms)


def cost_of(session: ChargingSession, at: datetime, more_wh: int = 0) -> int:
    """Paise of the charge as it stands at `at`, with so much more than its meter has told."""
    if session.terms is None:
        return money.cost(session.energy_wh + more_wh, session.paise_per_kwh)
    return total(lines_of(session, at, more_wh))


def lines_of(session: ChargingSession, at: datetime, more_wh: int = 0) -> tuple[Line, ...]:
    """The same line by line; idling after the stop is in it once it is over and debited."""
    price, energy_wh = price_of(session), session.energy_wh + more_wh
    if session.terms is None:
        return price.of_energy(energy_wh)
    # What flowed unheard is as old by the charger's clock as by ours.
    silent = at - (session.metered_at or session.started_received_at or at)
    usage = price.fitted(usage_of(session), (session.sampled_at or session.started_at or at) + silent, energy_wh)
    if session.idle_since is not None and session.settled_at is None:
        usage = price.idled(usage, session.idle_since, max(at, session.idle_since))
    return price.lines(usage)


def usage_of(session: ChargingSession) -> Usage:
    """What the session's tariff has counted; only one that asks for more than energy counts."""
    if session.counted is not None:
        return Usage.of(session.counted)
    return Usage.begun(session.started_at or session.requested_at)


def count(session: ChargingSession, at: datetime, wh: int) -> None:
    """A reading at `at`, by the charger's clock, found `wh` more."""
    if session.terms is not None:
        session.counted = price_of(session).after(usage_of(session), at, wh).text


def stop_idling(session: ChargingSession, at: datetime) -> None:
    """The connector is not idle any more, or nobody can say so: what this time of it costs is counted."""
    if session.idle_since is not None:
        until = max(at, session.idle_since)
        session.counted = price_of(session).idled(usage_of(session), session.idle_since, until).text
        session.idle_since = None


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
    again = session.settled_at is not None
    with traces.SETTLEMENT.span(
        "correction" if again else "bill", charger=session.charger_id, session=session.id
    ) as span:
        _settle(db, session, meter_stop_wh, estimated=estimated, again=again)
        span.came_to("estimated" if estimated else "metered")


def _settle(db: Session, session: ChargingSession, meter_stop_wh: int | None, *, estimated: bool, again: bool) -> None:
    assert session.id is not None
    stop_idling(session, now())
    session.energy_wh = _billed_energy(db, session, meter_stop_wh, estimated)
    if session.terms is not None:
        ended = session.stopped_at or session.sampled_at or now()
        session.counted = price_of(session).fitted(usage_of(session), ended, session.energy_wh).text
    session.state, session.settled_at, session.due_at = SessionState.SETTLED, session.settled_at or now(), None
    session.meter_stop_wh, session.estimated, session.suspended, session.power_w = meter_stop_wh, estimated, "", 0
    if not again:
        session.cost_paise = 0
        if session.user_id is not None:
            # All accounts at once, in their order: a recharge of the same driver locks them so, too.
            wallet.lock(db, [*_accounts(session.user_id), wallet.REVENUE, wallet.GST])
            wallet.release(db, session.id, HoldState.SETTLED)
    charge(db, session, "correction" if again else "")
    if session.review:
        findings.note(db, "review", session.ref, session.review)


def bill(session: ChargingSession) -> tuple[Line, ...]:
    """What a charge that is over comes to line by line, with what was given back of it."""
    lines = lines_of(session, now())
    if session.given_back_paise is None:
        return lines
    given_back = -min(session.given_back_paise, total(lines))
    return *lines, Line("goodwill", 1, given_back, given_back)


def charge(db: Session, session: ChargingSession, what: str, why: str = "") -> None:
    """Move the difference between what a settled charge has cost its driver and what it comes to, and give the paper.

    `what` names the transfer: empty for the first, else correction, idle or goodwill, each of which comes once.
    """
    lines = bill(session)
    cost_paise = total(lines)
    gst_paise = price_of(session).gst(cost_paise)
    paise, gst = cost_paise - session.cost_paise, gst_paise - session.gst_paise
    session.cost_paise, session.gst_paise = cost_paise, gst_paise
    db.add(session)
    db.flush()
    if session.user_id is not None:
        key = f"session:{session.id}{what and ':'}{what}"
        wallet.lock(db, [*_accounts(session.user_id), wallet.REVENUE, wallet.GST])
        if paise:
            words = WORDS[what].format(
                charger=session.charger_id,
                number=session.connector_number,
                energy=f"{session.energy_wh // 1000}.{session.energy_wh % 1000:03d}",
                why=why,
            )
            _debit(db, session, session.user_id, key, paise, gst, words)
            receipts.issue(db, session, paise, gst, lines, key)
        _clear_arrears(db, session, session.user_id, key)
    db.add(session)
    db.flush()


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


WORDS = {"": CHARGED, "correction": CORRECTED, "idle": IDLED, "goodwill": GIVEN_BACK}
"""What a line of the wallet says of each transfer."""


def _debit(
    db: Session, session: ChargingSession, user_id: int, key: str, cost_paise: int, gst_paise: int, words: str
) -> None:
    """Post the cost, or the difference to an earlier bill: from the wallet's free money, then to arrears, or back."""
    code, due = _accounts(user_id)
    has = wallet.balance(db, user_id)
    to_wallet = -min(cost_paise, has.free_paise) if cost_paise > 0 else max(0, -cost_paise - has.arrears_paise)
    to_due = -cost_paise - to_wallet
    wallet.post(
        db,
        key,
        "charging",
        {code: to_wallet, due: to_due, wallet.REVENUE: cost_paise - gst_paise, wallet.GST: gst_paise},
        ref=session.ref,
        description=words,
        event_at=session.stopped_at,
    )
    session.arrears_paise = max(0, session.arrears_paise - to_due)
    if session.arrears_paise > 5_000:
        session.review = session.review or f"{plain_rupees(session.arrears_paise)} went to arrears."


def _clear_arrears(db: Session, session: ChargingSession, user_id: int, key: str) -> None:
    """What an earlier charge left owed is paid from what this one's hold sets free: nobody owes who has money."""
    code, due = _accounts(user_id)
    has = wallet.balance(db, user_id)
    paid = min(has.free_paise, has.arrears_paise)
    if paid:
        wallet.post(
            db,
            f"{key}:arrears",
            "charging",
            {code: -paid, due: paid},
            ref=session.ref,
            description=PAID_OWED,
        )
