"""The operator's words for charging sessions and for what must be looked at."""

from argparse import Namespace
from collections.abc import Iterator

from sqlalchemy.exc import NoResultFound
from sqlmodel import Session, col, select

from domain import chargers, charges, findings, goodwill, receipts, settlement, trail
from domain.charges import Charge
from domain.models import ChargingSession, Entry, Transfer
from domain.money import plain_kwh, plain_rupees
from domain.shell.command import Command, Mistake, Shell, argument, clock, columns, moment, number, rupees, text


def list_(shell: Shell, given: Namespace) -> Iterator[str]:
    if given.charger:
        shell.read(chargers.info, given.charger)
    which = charges.NOT_OVER if given.running else charges.EVERY
    yield from columns(
        ("NUMBER", "REF", "DRIVER", "CHARGER", "STATE", "REQUESTED", "PRICE", "KWH", "COST", "BACK", "REVIEW"),
        (
            (
                charge.session.id,
                charge.session.ref,
                _driver(charge),
                f"{charge.session.charger_id}/{charge.session.connector_number}",
                charge.session.state,
                clock(charge.session.requested_at),
                plain_rupees(charge.session.paise_per_kwh) + ("+" if charge.session.terms else ""),
                plain_kwh(charge.session.energy_wh),
                plain_rupees(charge.cost_paise),
                plain_rupees(charge.session.given_back_paise) if charge.session.given_back_paise is not None else "",
                "yes" if charge.session.review else "",
            )
            for charge in shell.read(
                charges.page, which=which, charger_id=given.charger, since=given.since, limit=given.limit
            )
        ),
    )


def show(shell: Shell, given: Namespace) -> Iterator[str]:
    charge = shell.read(_one, given.session)
    session = charge.session
    about = {
        "number": session.id,
        "driver": _driver(charge),
        "charger": f"{session.charger_id}, connector {session.connector_number}",
        "state": session.state + (", estimated" if session.estimated else ""),
        "paused": session.suspended,
        "tag": session.tag,
        "card": session.card,
        "transaction": session.transaction_id,
        "price": f"{plain_rupees(session.paise_per_kwh)} a kWh",
        "requested": clock(session.requested_at),
        "started": clock(session.started_at),
        "metered": clock(session.metered_at),
        "stopped": clock(session.stopped_at),
        "settled": clock(session.settled_at),
        "due": clock(session.due_at),
        "wanted by": session.stop_cause,
        "reason": session.stop_reason,
        "register": f"{session.meter_start_wh} to {session.meter_stop_wh or session.meter_wh} Wh",
        "energy": f"{plain_kwh(session.energy_wh)} kWh",
        "cost": plain_rupees(charge.cost_paise),
        "arrears": plain_rupees(session.arrears_paise),
        "receipt": session.receipt_number,
        "review": session.review,
    }
    yield session.ref
    yield from (f"  {name:<12} {value or '-'}" for name, value in about.items())
    if session.terms is not None or session.given_back_paise is not None:
        yield ""
        yield from columns(
            ("LINE", "QUANTITY", "RATE", "SUM"),
            (
                (line.name, line.quantity, plain_rupees(line.rate_paise), plain_rupees(line.paise))
                for line in settlement.bill(session)
            ),
        )
    yield ""
    yield from columns(
        ("WHEN", "WHAT", "ACCOUNT", "AMOUNT"),
        (
            (clock(transfer.created_at), transfer.description, entry.account_code, plain_rupees(entry.amount_paise))
            for entry, transfer in shell.read(_moved, session)
        ),
    )


def give_back(shell: Shell, given: Namespace) -> Iterator[str]:
    charge = shell.read(_one, given.session)
    facts = {"paise": given.rupees, "reason": given.reason}
    gift = charge.session.id, given.rupees, given.reason
    session = shell.act(f"session:{charge.session.ref}", facts, goodwill.give_back, *gift)
    [*_, note] = shell.read(receipts.notes, session)
    yield f"{charge.username} gets {plain_rupees(given.rupees)} back of {session.ref}, with credit note {note.number}."


def list_findings(shell: Shell, given: Namespace) -> Iterator[str]:
    found = [one for one in shell.read(findings.unresolved) if given.kind in (None, one.kind)]
    if not found:
        yield "Nothing to look at."
        return
    yield from columns(
        ("NUMBER", "SINCE", "KIND", "AT IT", "ABOUT", "WHAT"),
        ((one.id, clock(one.created_at), one.kind, one.taken_by or "-", one.ref, one.detail) for one in found),
    )


def resolve(shell: Shell, given: Namespace) -> Iterator[str]:
    try:
        first = shell.do(findings.resolve, given.number, trail.shell(), given.note or "")
    except NoResultFound:
        raise Mistake(f"There is no finding {given.number}. `findings list` shows them.") from None
    yield f"Finding {given.number} {'is' if first else 'was already'} resolved."


def _one(db: Session, typed: str) -> Charge:
    charge = charges.named(db, typed)
    if charge is None:
        raise Mistake(
            f"There is no session {typed!r}. Give its number, its ref or its receipt; `session list` shows them."
        )
    return charge


def _moved(db: Session, session: ChargingSession) -> list[tuple[Entry, Transfer]]:
    of_session = (
        select(Entry, Transfer)
        .join(Transfer, col(Transfer.id) == Entry.transfer_id)
        .where(Transfer.ref == session.ref)
        .order_by(col(Entry.id))
    )
    return list(db.exec(of_session))


def _driver(charge: Charge) -> str:
    return charge.username or "walk-up"


WHICH = "its number, its ref, or the number of its receipt or of a note about it"

COMMANDS = (
    Command(
        "session list",
        "the newest charging sessions",
        list_,
        (
            argument("--charger", "at this charger only", type=text(48)),
            argument("--running", "only those that are not over", action="store_true"),
            argument("--since", "only those asked for since then, Indian time", type=moment),
            argument("--limit", "how many; default 20", type=number(1, 1_000), default=20),
        ),
    ),
    Command(
        "session show",
        "all about one, and what it moved in the ledger",
        show,
        (argument("session", WHICH, type=text(20)),),
    ),
    Command(
        "session give-back",
        "give a driver part of a bill back, with a credit note",
        give_back,
        (
            argument("session", WHICH, type=text(20)),
            argument("rupees", "how much", type=rupees),
            argument("--reason", "why; the driver reads it", type=text(80), required=True),
        ),
    ),
    Command(
        "findings list",
        "what an operator must look at",
        list_findings,
        (argument("--kind", "only those of this kind", type=text(30, 1)),),
    ),
    Command(
        "findings resolve",
        "somebody has looked",
        resolve,
        (
            argument("number", "of the finding", type=number(1, 2**31 - 1)),
            argument("--note", "what came of it; kept with it", type=text(500, 1)),
        ),
    ),
)
