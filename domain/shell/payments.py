"""The operator's words for payments: refunds, money with another amount, and what does not fit together."""

from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sqlmodel import Session, col, select

from domain import funnel, listings, recheck, reconciliation, refunds, settled_payments, suspense
from domain.models import REFUND_OPEN, RechargeOrder, RefundState, now
from domain.money import plain_rupees
from domain.recharges import GatewayUnavailable, OrderUnknown, PaymentGateway
from domain.reconciliation import Discrepancy
from domain.settled_payments import Import, Line
from domain.shell.command import Command, Failed, Mistake, Shell, argument, clock, columns, number, rupees, text
from domain.shell.people import meant
from domain.suspense import NotSetAside
from domain.wallet import LedgerConflict

REFUND_WORDS = {
    RefundState.NEW: "PhonePe was not asked yet; the server asks it as soon as it can.",
    RefundState.UNKNOWN: "PhonePe did not say whether it took it; the server asks until it does. Do not send another.",
    RefundState.PENDING: "PhonePe took it. Banks need 5 to 7 working days.",
    RefundState.CONFIRMED: "PhonePe confirmed it. Banks need 5 to 7 working days.",
    RefundState.COMPLETED: "It has been paid back.",
    RefundState.FAILED: "PhonePe could not pay it back; the money is in the wallet again.",
    RefundState.REJECTED: "PhonePe refused it; the money is in the wallet again.",
}
"""What a state means, and what happens next."""
PART = 100
"""Lines of a settlement report that one transaction takes."""


def list_recharges(shell: Shell, given: Namespace) -> Iterator[str]:
    user = shell.read(meant, given.user) if given.user else None
    yield from columns(
        ("ORDER", "USER", "AMOUNT", "STATE", "PLACED", "UTR", "PHONEPE"),
        (
            (
                order.merchant_order_id,
                order.user_id,
                plain_rupees(order.amount_paise),
                order.state,
                clock(order.created_at),
                order.utr or "-",
                order.gateway_transaction_id or order.gateway_order_id or "-",
            )
            for order in shell.read(_newest, given.limit, user.id if user else None, given.find)
        ),
    )


def request(shell: Shell, given: Namespace) -> Iterator[str]:
    key = given.key or shell.key
    refund = shell.act_once(
        partial(refunds.wished, key=key),
        f"order:{given.order}",
        {"paise": given.rupees, "reason": given.reason},
        refunds.request,
        given.order,
        given.rupees,
        key=key,
        reason=given.reason,
    )
    refund_id = refund.merchant_refund_id
    yield f"{plain_rupees(refund.amount_paise)} left the wallet for {refund_id}."
    if refund.state in REFUND_OPEN:
        shell.ask(lambda gateway: funnel.settle_refund(gateway, refund_id))
    ended = shell.read(refunds.found, refund_id)
    assert ended is not None
    said = f"{ended.state}: {REFUND_WORDS[RefundState(ended.state)]}"
    if ended.state in refunds.BACK:
        raise Failed(f"{said} PhonePe's code: {ended.error_code or 'none'}.")
    yield said


def list_refunds(shell: Shell, given: Namespace) -> Iterator[str]:
    yield from columns(
        ("REFUND", "ORDER", "USER", "AMOUNT", "STATE", "REQUESTED", "ENDED", "REASON"),
        (
            (
                refund.merchant_refund_id,
                refund.merchant_order_id,
                refund.user_id,
                plain_rupees(refund.amount_paise),
                refund.state,
                clock(refund.created_at),
                clock(refund.ended_at),
                refund.reason,
            )
            for refund in shell.read(refunds.newest, given.limit)
        ),
    )


def give_up(shell: Shell, given: Namespace) -> Iterator[str]:
    refund = shell.act(f"refund:{given.refund}", "", refunds.never_sent, given.refund)
    yield f"{plain_rupees(refund.amount_paise)} are in the wallet again. A new refund may be requested."


def accept(shell: Shell, given: Namespace) -> Iterator[str]:
    try:
        status = shell.ask(lambda gateway: gateway.refund_status(given.refund))
        refund = shell.act(
            f"refund:{given.refund}",
            {"paise": status.amount_paise, "reason": given.reason},
            refunds.accept,
            given.refund,
            status,
        )
    except OrderUnknown:
        raise Mistake("PhonePe does not know this refund. Nothing was booked.") from None
    except GatewayUnavailable as error:
        raise Failed(f"PhonePe did not say what it paid back; nothing was booked. {error}.") from None
    yield f"{plain_rupees(status.amount_paise)} were booked as paid back of {plain_rupees(refund.amount_paise)}."
    missing = refund.amount_paise - status.amount_paise
    if missing > 0:
        yield f"{plain_rupees(missing)} are in the wallet again."
    elif missing < 0:
        yield f"{plain_rupees(-missing)} too much are lost as goodwill until `wallet adjust` takes them."


def set_aside(shell: Shell, given: Namespace) -> Iterator[str]:
    try:
        status = shell.ask(lambda gateway: gateway.status(given.order))
        of_order = f"order:{given.order}"
        aside = partial(suspense.aside, merchant_order_id=given.order)
        shell.act_once(aside, of_order, "set aside", suspense.set_aside, given.order, status)
        yield f"{plain_rupees(status.amount_paise)} of {given.order} are in suspense."
        if given.to_wallet:
            is_given = partial(suspense.is_given, merchant_order_id=given.order)
            shell.act_once(is_given, of_order, "given to the driver", suspense.give, given.order)
            yield "They are in the driver's wallet now, arrears first."
    except (NotSetAside, LedgerConflict) as error:
        raise Mistake(str(error)) from None
    except OrderUnknown:
        raise Mistake("PhonePe does not know this payment. Nothing was booked.") from None
    except GatewayUnavailable as error:
        raise Failed(f"PhonePe did not say what was paid; nothing was booked. {error}.") from None


def reconcile(shell: Shell, given: Namespace) -> Iterator[str]:
    """Everything that the server does at night, now; and the report, if one is given."""
    lines = _report(shell, given.settlement) if given.settlement else []
    at = now()
    found = [*shell.read(reconciliation.of_books), *shell.read(reconciliation.of_moments, at)]
    yield "The ledger and the deadlines were looked at."
    answers = shell.ask(lambda gateway: recheck.recheck(gateway, at - recheck.LATELY))
    found += answers.found
    yield f"Payments of two days that PhonePe was asked about: {answers.asked}; unanswered: {answers.unanswered}."
    if lines:
        imported = _imported(shell, lines)
        found += [*imported.found, *shell.read(settled_payments.missing)]
        yield from _settlement(shell, lines, imported)
    shell.do(reconciliation.keep, found)
    yield from _told(found)


def _report(shell: Shell, path: Path) -> list[Line]:
    try:
        report = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}.") from None

    async def lines(gateway: PaymentGateway) -> list[Line]:
        return gateway.settled(report)

    try:
        return shell.ask(lines)
    except ValueError as error:
        raise Mistake(str(error)) from None


def _imported(shell: Shell, lines: list[Line]) -> Import:
    """A part at a time: on SQLite every start, stop and sample waits for whoever writes."""
    parts = [shell.do(settled_payments.take, lines[first : first + PART]) for first in range(0, len(lines), PART)]
    found = [one for part in parts for one in part.found]
    return Import(sum(part.new for part in parts), sum(part.known for part in parts), found)


def _settlement(shell: Shell, lines: list[Line], imported: Import) -> Iterator[str]:
    yield f"The report has {imported.new} new lines and {imported.known} known ones."
    days = [line.paid_on for line in lines]
    yield from columns(
        ("DAY", "REPORTED", "BOOKED", "REFUNDED", "FEES AND TAX"),
        (
            (day.on, *map(plain_rupees, (day.reported_paise, day.booked_paise, day.refunded_paise, day.kept_paise)))
            for day in shell.read(settled_payments.days, min(days), max(days))
        ),
    )


def _told(found: list[Discrepancy]) -> Iterator[str]:
    if not found:
        yield "Everything fits."
        return
    yield from columns(("KIND", "ABOUT", "WHAT"), ((each.kind, each.ref, each.detail) for each in found))
    counted = f"{len(found)} things do" if len(found) > 1 else "1 thing does"
    raise Failed(f"{counted} not fit. `findings list` shows them until somebody has looked.")


def _newest(db: Session, limit: int, user_id: int | None, find: str) -> list[RechargeOrder]:
    newest = select(RechargeOrder).order_by(col(RechargeOrder.id).desc()).limit(limit)
    if user_id is not None:
        newest = newest.where(RechargeOrder.user_id == user_id)
    if find:
        newest = newest.where(listings.RECHARGES.filters["find"](find))
    return list(db.exec(newest))


LIMIT = argument("--limit", "how many; default 20", type=number(1, 1_000), default=20)

COMMANDS = (
    Command(
        "refund request",
        "send money of a recharge back to where it was paid from",
        request,
        (
            argument("order", "the recharge, RCH-…; `payments list` shows them", type=text(63)),
            argument("rupees", "no more than is left of it and free in the wallet", type=rupees),
            argument("--reason", "why; kept with it", type=text(200), required=True),
            argument("--key", "a name for this wish: the same one again is the same refund", type=text(64), default=""),
        ),
    ),
    Command("refund list", "the newest refunds and their states", list_refunds, (LIMIT,)),
    Command(
        "refund give-up",
        "bring the money of a refund back that PhonePe's dashboard does not know",
        give_up,
        (argument("refund", "REF-…", type=text(63)),),
    ),
    Command(
        "refund accept",
        "end a refund of which PhonePe says that another amount went back, with that amount",
        accept,
        (
            argument("refund", "REF-…", type=text(63)),
            argument("--reason", "what PhonePe said when it was asked; kept with it", type=text(200), required=True),
        ),
    ),
    Command(
        "payments list",
        "the newest recharges and their states",
        list_recharges,
        (
            argument("--user", "of this user only: number, username or phone", type=text(100)),
            argument("--find", "by our order, PhonePe's number, the bank's reference, or a driver", type=text(100, 1)),
            LIMIT,
        ),
    ),
    Command(
        "payments suspense",
        "book what was paid for an order with another amount",
        set_aside,
        (
            argument("order", "the recharge, RCH-…", type=text(63)),
            argument("--to-wallet", "and give it to the driver", action="store_true"),
        ),
    ),
    Command(
        "payments reconcile",
        "look for what does not fit together; exit code 1 when something does not",
        reconcile,
        (argument("--settlement", "PhonePe's settlement report, a CSV file", type=Path),),
    ),
)
