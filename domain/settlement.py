"""What a charge costs in the end: the bill from the meter, debited exactly once.

A late stop corrects an estimate, at most once. Idling after the stop (domain/idling.py) and goodwill
(domain/goodwill.py) change the bill afterwards, each by a note of its own.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from operator import itemgetter

from sqlmodel import Session, select

from domain import findings, money, push, receipts, samples, sessions, traces, wallet
from domain.models import ChargingSession, HoldState, SessionState, now
from domain.money import plain_kwh, plain_rupees
from domain.prices import GAP_S, Line, Price, Usage, second, total
from domain.samples import STALE
from domain.sentences import CHARGED, CORRECTED, GIVEN_BACK, IDLED

UNKNOWN_POWER_W = 400_000
"""No charger of 1.6 gives more; the cap where nobody told us a connector's power."""
ASSUMED_W = 60_000
"""What a connector is taken to give of which neither the operator nor a meter says it: most fast ones give no more."""
MARGIN_WH = 500
"""Registers count in steps and clocks in seconds: so much is never called implausible."""
REGISTER_STEP_WH = 1_000
"""The coarsest register counts whole kilowatt-hours."""
LARGEST_REGISTER = 10**9
"""Wh; what a register says beyond is an error (payments.md C17), unless it began there: Zaptec counts from 2^32."""
FAULT_REASONS = ("EmergencyStop", "HardReset", "PowerLoss", "Reboot", "Other")
"""Reasons of StopTransaction that are not the driver's doing (ocpp.md, 4.10)."""


def price_of(session: ChargingSession) -> Price:
    """The tariff the session started with."""
    return Price.kept(session.paise_per_kwh, session.gst_basis_points, session.terms)


def cost_by_now(session: ChargingSession, at: datetime) -> int:
    """Paise that a charge has cost until `at`: as billed once it is settled, until then by its meter and its tariff.

    A walk-up's charge costs as much as any other, while it runs and in the end, though nobody pays it.
    """
    return session.cost_paise if session.settled_at is not None else cost_of(session, at)


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
    ended = min(at, (session.sampled_at or sessions.begun_at(session)) + silent)
    usage = price.fitted(_until(session, at, at), ended, energy_wh)
    if session.idle_since is not None and session.settled_at is None:
        usage = price.idled(usage, session.idle_since, max(at, session.idle_since))
    return price.lines(usage)


def usage_of(session: ChargingSession) -> Usage:
    """What the session's tariff has counted; only one that asks for more than energy counts."""
    if session.counted is not None:
        return Usage.of(session.counted)
    return Usage.begun(sessions.begun_at(session))


def count(session: ChargingSession, at: datetime, received_at: datetime, wh: int) -> None:
    """A reading at `at`, by the charger's clock, found `wh` more; none is from later than we received it."""
    if session.terms is not None:
        most_s = _most_s(session, at, received_at)
        usage = _until(session, at, received_at)
        session.counted = price_of(session).after(usage, min(at, received_at), wh, most_s).text


def pauses(session: ChargingSession, at: datetime, pauses: bool) -> None:
    """From `at` on, by our clock, the charge pauses or does not: time that a tariff asks for leaves pauses out."""
    if session.terms is not None:
        session.counted = usage_of(session).until(at, pauses=pauses).text


def _until(session: ChargingSession, at: datetime, received_at: datetime) -> Usage:
    """What is counted, and the pause that lasts: until `received_at`, or until `at` where it is told late."""
    usage = usage_of(session)
    return usage.until(at if received_at - at > STALE else received_at, pauses=usage.paused_since_s > 0)


def _most_s(session: ChargingSession, at: datetime, received_at: datetime) -> int:
    """The most seconds that a reading may add, whatever steps the charger's clock makes: of those since the start, by
    our own clock, what is not counted yet, so that readings may come together. What the charger tells late is counted
    by its own clock (ocpp.md Q27), and leaves the next reading at least the time since we last heard of the charge."""
    begun_at = session.started_received_at
    if begun_at is None or received_at - at > STALE:
        return GAP_S
    uncounted_s = second(received_at) - second(begun_at) - usage_of(session).charging_s
    return max(uncounted_s, second(received_at) - second(session.metered_at or begun_at))


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
    connector = sessions.connector(db, session)
    return connector.max_power_w if connector else 0


def settle(db: Session, session: ChargingSession, meter_stop_wh: int | None, *, estimated: bool = False) -> None:
    """Debit the driver for a finished charge, exactly once; a real stop after an estimate corrects it, once.

    Cost is whole paise from whole watt-hours at the tariff the session started with. What the wallet cannot cover
    becomes arrears, so a wallet is never negative. Nothing delivered costs nothing and makes no receipt (C29). The
    guard is the session's own row, because a debit of nothing leaves no transfer (payments.md 2.3).
    """
    if session.settled_at is not None and not session.estimated:
        return
    again = session.settled_at is not None
    with traces.SETTLEMENT.span(
        "correction" if again else "bill", charger=session.charger_id, session=session.id
    ) as span:
        _settle(db, session, meter_stop_wh, estimated=estimated, again=again)
        span.came_to("estimated" if estimated else "metered")


def _settle(db: Session, session: ChargingSession, meter_stop_wh: int | None, *, estimated: bool, again: bool) -> None:
    stop_idling(session, now())
    session.energy_wh = _billed_energy(db, session, meter_stop_wh, estimated)
    if session.terms is not None:
        moment = now()
        ended = session.stopped_at or session.sampled_at or moment
        most_s = _most_s(session, ended, moment)
        usage = price_of(session).fitted(_until(session, ended, moment), min(ended, moment), session.energy_wh, most_s)
        session.counted = replace(usage, paused_since_s=0).text
    session.state, session.settled_at, session.due_at = SessionState.SETTLED, session.settled_at or now(), None
    session.meter_stop_wh, session.estimated, session.suspended, session.power_w = meter_stop_wh, estimated, "", 0
    if not again:
        session.cost_paise = 0
        if session.user_id is not None:
            # All accounts at once, in their order: a recharge of the same driver locks them so, too.
            wallet.lock(db, [*wallet.of_driver(session.user_id), wallet.REVENUE, wallet.GST])
            wallet.release(db, session.id, HoldState.SETTLED)
            push.tell(db, session.user_id, push.ENDED, session.ref)
    charge(db, session, "correction" if again else "")
    session.review = session.review or _far_below_power(db, session)
    _look_at(db, session)


def bill(session: ChargingSession) -> tuple[Line, ...]:
    """What a charge that is over comes to line by line, with what was given back of it."""
    lines = lines_of(session, now())
    if session.given_back_paise is None:
        return lines
    given_back = -min(session.given_back_paise, total(lines))
    return *lines, Line("goodwill", 1, given_back, given_back)


def charge(db: Session, session: ChargingSession, what: str, why: str = "") -> None:
    """Move the difference between what a settled charge has cost its driver and what it comes to, and give the paper.

    `what` names the transfer: empty for the first, else correction, idle or goodwill, each of which comes once. Money
    that it sets free pays first what is owed, then it carries another charge of the driver that runs.
    """
    lines = bill(session)
    cost_paise = total(lines)
    gst_paise = price_of(session).gst(cost_paise)
    paise, gst = cost_paise - session.cost_paise, gst_paise - session.gst_paise
    session.cost_paise, session.gst_paise = cost_paise, gst_paise
    db.flush()
    if session.user_id is not None:
        key = f"session:{session.id}{what and ':'}{what}"
        wallet.lock(db, [*wallet.of_driver(session.user_id), wallet.REVENUE, wallet.GST])
        if paise:
            words = WORDS[what].format(
                charger=session.charger_id,
                number=session.connector_number,
                energy=plain_kwh(session.energy_wh),
                why=why,
            )
            _debit(db, session, session.user_id, key, paise, gst, words)
            receipts.issue(db, session, paise, gst, lines, key)
        wallet.pay_owed(db, f"{key}:arrears", session.user_id, ref=session.ref)
        wallet.fund_open_hold(db, session.user_id)
    db.flush()


def _billed_energy(db: Session, session: ChargingSession, meter_stop_wh: int | None, estimated: bool) -> int:
    """meterStop - meterStart when that can be true, else what the samples add up to (ocpp.md Q35, Q38)."""
    start, power_w = session.meter_start_wh or 0, nameplate_w(db, session)
    most = plausible_wh(power_w, _longest(session))
    if meter_stop_wh is None:
        if not estimated:
            session.review = "The charger named no meterStop; billed by samples."
        return min(session.energy_wh, most)
    energy_wh, rise = meter_stop_wh - start, _since_last_register(db, session, meter_stop_wh, power_w)
    by_samples = min(session.energy_wh + (rise or 0), most)
    if energy_wh < 0 or meter_stop_wh > LARGEST_REGISTER >= start:
        session.review = f"meterStop {meter_stop_wh} does not fit meterStart {start}; billed by samples."
        return by_samples
    if energy_wh > most:
        sampled = session.energy_wh > 0 or rise is not None
        billed = by_samples if sampled else _most_without_samples(session, meter_stop_wh, power_w)
        session.review = f"{energy_wh} Wh is more than the connector can give in that time; billed {billed} Wh."
        return billed
    told_less = session.meter_wh is not None and meter_stop_wh < session.meter_wh
    if by_samples > energy_wh + MARGIN_WH and (told_less or rise is not None):
        risen = _risen_through_a_reset(db, session, meter_stop_wh, power_w)
        if risen is not None:
            session.review = f"The register was reset before meterStop {meter_stop_wh}; billed by samples."
            return min(risen, most)
        if told_less:
            session.review = f"meterStop {meter_stop_wh} is less than {session.meter_wh}, told before it."
    return energy_wh


def _most_without_samples(session: ChargingSession, meter_stop_wh: int, power_w: int) -> int:
    """What a charge is billed whose meterStop - meterStart cannot be and of which no sample tells: what the connector
    can give (payments.md C19), or nothing where no connector gives so much and the charger told no meterStart either,
    and so no energy at all (C17). A register that began at 0 where a nameplate is too small is none of these.
    """
    longest = _longest(session)
    told_start = session.meter_start_wh or meter_stop_wh <= plausible_wh(UNKNOWN_POWER_W, longest)
    return plausible_wh(power_w or ASSUMED_W, longest) if told_start else 0


def _far_below_power(db: Session, session: ChargingSession) -> str:
    """Why the bill cannot be true: it is under a tenth of the power told times its time (ocpp.md Q34); empty if it may.

    So it is where a charger counts in kWh throughout, which its registers alone do not tell. Of the time before a
    sample, STALE at most counts: nobody says what flowed in a longer one.
    """
    most_w = nameplate_w(db, session) or UNKNOWN_POWER_W
    if plausible_wh(most_w, _longest(session)) <= 10 * session.energy_wh + REGISTER_STEP_WH:
        return ""
    of = samples.of(session.id).c
    told_ws, before = 0, session.started_at
    for at, power_w in db.exec(select(of.at, of.power_w).order_by(of.at, of.id)):
        if power_w is not None and before is not None:
            told_ws += min(power_w, most_w) * int(min(at - before, STALE).total_seconds())
        before = at
    told_wh = max(0, told_ws) // 3600
    if told_wh <= 10 * session.energy_wh + REGISTER_STEP_WH:
        return ""
    return f"{session.energy_wh} Wh billed, but the power it told makes {told_wh} Wh; it may count in kWh."


def _risen_through_a_reset(db: Session, session: ChargingSession, meter_stop_wh: int, power_w: int) -> int | None:
    """What a register has risen in all that was reset on the way to meterStop; None if it was not (payments.md C18).

    It was where it fell below meterStart, or fell and rose again but not to what it had told; one that fell otherwise
    told old samples again (ocpp.md Q27). A single value, said once or several times, that does not lie between those
    around it is an error of the meter. In doubt for the driver.
    """
    readings = _readings(db, session, meter_stop_wh)
    registers = [wh for _, wh in readings]
    if min(registers) < registers[0] - MARGIN_WH:
        return session.energy_wh + (_since_last_register(db, session, meter_stop_wh, power_w) or 0)
    if max(registers) - MARGIN_WH <= meter_stop_wh or meter_stop_wh < registers[-2]:
        return None
    steps = ((at - before, wh - last if wh >= last else wh) for (before, last), (at, wh) in pairwise(readings))
    return sum(rise for time, rise in steps if rise <= plausible_wh(power_w, time))


def _readings(db: Session, session: ChargingSession, meter_stop_wh: int) -> list[tuple[datetime, int]]:
    """The registers from meterStart to meterStop with their times, but for single ones that cannot be."""
    of = samples.of(session.id).c
    told = db.exec(select(of.at, of.energy_wh).where(of.energy_wh.is_not(None)).order_by(of.at, of.id))
    ends = (session.started_at, session.meter_start_wh or 0), (session.stopped_at, meter_stop_wh)
    begin, *rest = (list(same)[-1] for _, same in groupby((ends[0], *told, ends[1]), itemgetter(1)))
    around = zip((begin, *rest), rest, rest[1:], strict=False)
    right = [it for before, it, after in around if before[1] > after[1] or before[1] <= it[1] <= after[1]]
    return [begin, *right, *rest[-1:]]


def _longest(session: ChargingSession) -> timedelta:
    """How long the charge can have taken, by the charger's clock; where that tells a start from before its driver asked
    for it, all the time since then, until now at most: nobody knows whether it told the end so, too."""
    begun, started_at = sessions.begun_at(session), session.started_at or session.requested_at
    told = max(filter(None, (session.stopped_at, session.sampled_at)), default=started_at)
    ended = min(told + (begun - started_at), now()) if started_at < begun else told
    return max(timedelta(0), ended - min(session.requested_at, begun))


def _since_last_register(db: Session, session: ChargingSession, meter_stop_wh: int, power_w: int) -> int | None:
    """What the register has risen since a sample told it last; None if that cannot be, or none did."""
    stopped_at, sampled_at = session.stopped_at, session.sampled_at
    if sampled_at is None or session.meter_wh is None or stopped_at is None:
        return None
    rise = meter_stop_wh - session.meter_wh
    if 0 <= rise <= plausible_wh(power_w, stopped_at - sampled_at):
        return rise
    told_at, _ = samples.told_at(db, session) if rise > 0 else (None, None)
    return rise if told_at is not None and rise <= plausible_wh(power_w, stopped_at - told_at) else None


WORDS = {"": CHARGED, "correction": CORRECTED, "idle": IDLED, "goodwill": GIVEN_BACK}
"""What a line of the wallet says of each transfer."""


def _debit(
    db: Session, session: ChargingSession, user_id: int, key: str, cost_paise: int, gst_paise: int, words: str
) -> None:
    """Post the cost, or the difference to an earlier bill: from the wallet's free money, then to arrears, or back."""
    code, due = wallet.of_driver(user_id)
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
        event_at=sessions.ended_at(session, session.stopped_at),
    )
    session.arrears_paise = max(0, session.arrears_paise - to_due)
    if session.arrears_paise > 5_000:
        session.review = session.review or f"{plain_rupees(session.arrears_paise)} went to arrears."
        _look_at(db, session)


def _look_at(db: Session, session: ChargingSession) -> None:
    if session.review:
        findings.note(db, "review", session.ref, session.review)
