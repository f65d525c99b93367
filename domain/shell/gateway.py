"""The operator's words for one payment: what PhonePe says of it, and taking it in where our books do not know it."""

from argparse import Namespace
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from sqlmodel import Session, col, select

from domain import adopted, funnel, recharges, refunds
from domain.models import Finding, OrderState, RechargeOrder, RefundState
from domain.money import plain_rupees
from domain.recharges import GatewayUnavailable, OrderStatus, OrderUnknown, PaymentGateway, RefundStatus
from domain.shell.command import Command, Failed, Mistake, Shell, argument, clock, text
from domain.shell.payments import REFUND_WORDS
from domain.shell.people import meant

T = TypeVar("T")
RECHARGE_WORDS = {
    OrderState.NEW: "Its driver has not gone on to PhonePe; nothing was paid.",
    OrderState.PENDING: "It can still be paid; the server asks on.",
    OrderState.UNKNOWN: "PhonePe did not say whether it opened a pay page; the server asks until it does.",
    OrderState.CREDITED: "The money is in the wallet.",
    OrderState.MISMATCH: "Another amount was paid and nothing was credited. Next: payments suspense.",
    OrderState.FAILED: "It was not paid. Money that PhonePe takes after all is credited when it is asked again.",
    OrderState.REJECTED: "PhonePe opened no pay page; nothing was paid.",
}
"""What a state means, and what happens next."""


def ask(shell: Shell, given: Namespace) -> Iterator[str]:
    yield from (_of_refund if given.order.startswith("REF-") else _of_order)(shell, given.order)


def adopt(shell: Shell, given: Namespace) -> Iterator[str]:
    user = shell.read(meant, given.user)
    status = _told(shell, given.order)
    if status is None:
        raise Mistake(f"PhonePe does not know {given.order}. Nothing was moved.")
    facts = {"paise": status.amount_paise, "user": user.id}
    taken = given.order, user.id, status
    shell.act(f"order:{given.order}", facts, adopted.adopt, *taken, registered_again=given.registered_again)
    yield f"{plain_rupees(status.amount_paise)} of {given.order} are in the wallet of {user.username}, arrears first."
    for finding in shell.read(_findings, given.order):
        yield f"Finding {finding.id} named it: python -m domain findings resolve {finding.id} --note adopted"


def _of_order(shell: Shell, order_id: str) -> Iterator[str]:
    status = _told(shell, order_id)
    order = shell.read(recharges.found, order_id)
    if status is None and order is None:
        raise Mistake(f"Neither PhonePe nor our books know {order_id}.")
    if status is None:
        yield f"PhonePe does not know {order_id}."
    else:
        paid = f", paid at {clock(status.paid_at)}, bank reference {status.utr or '-'}" if status.paid_at else ""
        yield f"PhonePe says {status.state} of {order_id}: {plain_rupees(status.amount_paise)}{paid}."
    if order is not None:
        yield f"Here it is {order.state}, of user {order.user_id}. {RECHARGE_WORDS[OrderState(order.state)]}"
        if order.gateway_transaction_id:
            yield f"PhonePe's number of its transaction: {order.gateway_transaction_id}"
    elif status is not None:
        yield from _whose(shell, order_id, status)


def _whose(shell: Shell, order_id: str, status: OrderStatus) -> Iterator[str]:
    """Of an order that only PhonePe knows."""
    user = shell.read(adopted.payer, status)
    if user is not None:
        yield f"It is unknown here. PhonePe names user {user.id}, {user.username}, as its driver."
    else:
        number = f"user {status.user_id}, who is not here any more" if status.user_id else "nobody"
        yield f"It is unknown here. PhonePe names {number}: find out who paid, by the bank reference."
    if status.state == "COMPLETED":
        yield f"python -m domain payments adopt {order_id} --user {user.id if user else '<user>'}"


def _of_refund(shell: Shell, refund_id: str) -> Iterator[str]:
    status = _refund_told(shell, refund_id)
    refund = shell.read(refunds.found, refund_id)
    if status is None and refund is None:
        raise Mistake(f"Neither PhonePe nor our books know {refund_id}.")
    if status is None:
        yield f"PhonePe does not know {refund_id}."
    else:
        amount = plain_rupees(status.amount_paise)
        yield f"PhonePe says {status.state} of {refund_id}: {amount} of {status.merchant_order_id or 'no recharge'}."
    if refund is not None:
        yield f"Here it is {refund.state}, of user {refund.user_id}. {REFUND_WORDS[RefundState(refund.state)]}"
    elif status is not None:
        yield from _take_back(status, shell.read(recharges.found, status.merchant_order_id))


def _take_back(status: RefundStatus, order: RechargeOrder | None) -> Iterator[str]:
    """Of a refund that only PhonePe knows: what went back to its payer is still in the wallet here."""
    if order is None:
        yield "It is unknown here, and so is its recharge: ask about that one first."
        return
    yield "It is unknown here: what goes back is still in the wallet. Once it is COMPLETED, take it from there:"
    rupees = f"{status.amount_paise // 100}.{status.amount_paise % 100:02d}"
    yield f'python -m domain wallet adjust {order.user_id} -{rupees} --reason "Paid back by PhonePe"'


def _told(shell: Shell, order_id: str) -> OrderStatus | None:
    """What PhonePe says of an order, applied where we know it; None when it does not know it."""

    async def asked(gateway: PaymentGateway) -> OrderStatus:
        await funnel.settle(gateway, order_id)
        return await gateway.status(order_id)

    return _answer(shell, order_id, asked)


def _refund_told(shell: Shell, refund_id: str) -> RefundStatus | None:
    """The same of a refund; one that was not sent yet is sent."""

    async def asked(gateway: PaymentGateway) -> RefundStatus:
        await funnel.settle_refund(gateway, refund_id)
        return await gateway.refund_status(refund_id)

    return _answer(shell, refund_id, asked)


def _answer(shell: Shell, id_: str, asked: Callable[[PaymentGateway], Awaitable[T]]) -> T | None:
    """None when PhonePe does not know what is asked about.

    Raises:
        Failed: it did not say.
    """
    try:
        return shell.ask(asked)
    except OrderUnknown:
        return None
    except GatewayUnavailable as error:
        raise Failed(f"PhonePe did not say what became of {id_}; try again in a few minutes. {error}.") from None


def _findings(db: Session, order_id: str) -> list[Finding]:
    named = select(Finding).where(Finding.kind == "settled-unknown", Finding.ref == order_id)
    return list(db.exec(named.where(col(Finding.resolved_at).is_(None))))


COMMANDS = (
    Command(
        "payments ask",
        "ask PhonePe about one recharge or refund, and book what it says",
        ask,
        (argument("order", "the recharge, RCH-…, or the refund, REF-…", type=text(63)),),
    ),
    Command(
        "payments adopt",
        "take in a recharge that was paid after the backup that was restored",
        adopt,
        (
            argument("order", "the recharge, RCH-…; `payments ask` says whose it is", type=text(63)),
            argument("--user", "whose it is: number, username or phone", type=text(100), required=True),
            argument("--registered-again", "the account is newer, the person the same", action="store_true"),
        ),
    ),
)
