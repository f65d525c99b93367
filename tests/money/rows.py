"""The two failure matrices of the project, in a word each, and the one oracle for all of their rows.

A test names the rows it proves: `@pytest.mark.row("R17")`, or `@scene("R17")` for those that the oracle judges.
"""

import ast
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session, col, select

from domain import history, story, suspense
from domain.models import RechargeOrder
from evapp.state.bill import bill_of
from evapp.state.recharge import ANOTHER_AMOUNT
from evapp.state.wallet import OUTCOMES
from evapp.texts.movements import described, word
from tests.databases import ROOT

RECHARGE = """normal; browser closed; no webhook; webhook many times; webhook before the pay answer; all at once in
any order; forged credentials; altered body; unknown order; replay after a refund; another amount;
somebody else's order; pending for hours; failed, then completed; a failed attempt before; nobody pays
in time; /pay refused; /pay lost; id used before; token revoked; no token for an hour; status broken;
double click; two at once; killed before the credit; killed before /pay; killed after the credit;
amounts that are none; amount tampered; refund; refund failed; refund answer lost; refund too large;
driver gone meanwhile; clock wrong; hosts mixed; words nobody knows; arrears; report twice; database
refuses"""
CHARGING = """normal; stop repeated; stop repeated otherwise; stop lost; killed before the debit; killed after it;
faulted; reasons; offline for hours; impossible times; unknown transaction; another's transaction; no
number; two at one charger; two charges of one driver; meter backwards; no meter; register reset;
implausible energy; units; tariff changed; money ends; stop refused; recharge meanwhile; stop accepted
and ignored; nobody plugs in; start refused; start not allowed; nothing delivered; account deleted;
driver blocked; stranger stops; start repeated; rebooted; second socket; midnight; goodwill; database
busy; rounding; killed before RemoteStart"""
ROWS = {
    f"{letter}{n}": " ".join(words.split())
    for letter, matrix in (("R", RECHARGE), ("C", CHARGING))
    for n, words in enumerate(matrix.split(";"), start=1)
}

Play = TypeVar("Play", bound=Callable[..., object])
SCENES: dict[str, Callable[..., object]] = {}


def scene(row: str) -> Callable[[Play], Play]:
    """What happens in this row, for the oracle to judge."""

    def keep(play: Play) -> Play:
        SCENES[row] = play
        return play

    return keep


def proofs(*marks: str) -> dict[str, list[str]]:
    """For each row the tests and scenes that name it by one of these marks."""
    found = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for row in _named(node, marks):
                    found[row].append(f"{path.relative_to(ROOT)}::{node.name}")
    return found


def _named(node: ast.FunctionDef | ast.AsyncFunctionDef, marks: tuple[str, ...]) -> list[str]:
    calls = [call for call in node.decorator_list if isinstance(call, ast.Call) and ast.unparse(call.func) in marks]
    return [str(ast.literal_eval(argument)) for call in calls for argument in call.args]


def told(db: Session, user_id: int) -> str:
    """Every sentence that a driver reads of his money and his past charges, one a line."""
    lines = [f"{word(line)}: {described(line)}" for line in story.lines(db, user_id)]
    bills = [bill_of(charge) for charge in history.page(db, user_id)]
    orders = db.exec(select(RechargeOrder).where(RechargeOrder.user_id == user_id).order_by(col(RechargeOrder.id)))
    outcomes = [str(OUTCOMES.get(order.state, "Waiting for PhonePe")) for order in orders]  # type: ignore[call-overload]
    aside = [str(ANOTHER_AMOUNT) for _ in suspense.unfinished(db, user_id)]
    return "\n".join([*lines, *(f"{bill.reason}. {bill.fair}" for bill in bills), *outcomes, *aside])
