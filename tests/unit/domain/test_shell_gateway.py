"""What the shell says of one payment, and what it takes in of those that a restored backup does not know."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from domain import placing, recharges, wallet
from domain.db import Database
from domain.models import User, now
from tests.money import house
from tests.money.house import RUPEES_500
from tests.unit.domain.test_shell_payments import (
    HEAD,
    Town,
    asha,
    balances,
    database,
    one_refund,
    paid,
    run,
    town,
)

__all__ = ["asha", "database", "run", "town"]

LOST = "RCH-0193c0a7f1e27c0e8a41c2d9b7f4a611"


def lost(town: Town, user_id: int, choice: str = "pay", order: str = LOST) -> str:
    """A recharge of ₹500 that only PhonePe knows, paid just now."""
    asked = {
        "merchantOrderId": order,
        "amount": RUPEES_500,
        "metaInfo": {"udf1": f"u_{user_id}"},
        "paymentFlow": {"type": "PG_CHECKOUT", "merchantUrls": {"redirectUrl": "http://localhost/"}},
    }
    town.sandbox.orders.take(town.sandbox.orders.open(asked), choice)
    return order


def began(database: Database, user_id: int, later: timedelta) -> None:
    """The account began so much later than now."""

    def set_(db: Session) -> None:
        db.get_one(User, user_id).created_at = now() + later

    database.now(set_)


def test_what_a_restored_backup_does_not_know_is_found_and_adopted_once(
    town: Town, run: Any, database: Database, asha: int, tmp_path: Path
) -> None:
    order = lost(town, asha)
    utr = town.sandbox.orders.find(order).attempts[0]["rail"]["utr"]
    today = now().date().isoformat()
    (tmp_path / "report.csv").write_text(f"{HEAD}\nPAYMENT,{order},OM1,500.00,{today},{today}")
    assert "settled-unknown" in run(f"payments reconcile --settlement {tmp_path / 'report.csv'}")[1]
    code, out, _ = run(f"payments ask {order}")
    assert code == 0
    assert f"PhonePe says COMPLETED of {order}: ₹500.00, paid at 20" in out and f"bank reference {utr}." in out
    assert f"It is unknown here. PhonePe names user {asha}, asha, as its driver." in out
    assert balances(database, asha) == {}
    adopting = out.splitlines()[-1].removeprefix("python -m domain ")
    database.now(house.owe, asha, 10_000)
    code, out, err = run(adopting)
    assert (code, err) == (0, "")
    assert f"₹500.00 of {order} are in the wallet of asha, arrears first." in out
    after = balances(database, asha)
    assert (after[wallet.GATEWAY], after[wallet.wallet_code(asha)]) == (-50_000, 40_000)
    assert run(out.splitlines()[-1].removeprefix("Finding 1 named it: python -m domain "))[0] == 0
    assert run("findings list")[1] == "Nothing to look at.\n"
    for _ in range(2):
        code, out, err = run(adopting)
        assert (code, out, err) == (2, "", f"{order} is known here: it is CREDITED. Nothing was moved.\n")
    assert balances(database, asha) == after
    assert "everything fits." in run("payments reconcile")[1].lower()
    assert run(f"refund request {order} 100 --reason why")[0] == 0, "it is a recharge as every other"


@pytest.mark.parametrize("choice", ["later", "fail", "retry"])
def test_what_was_not_paid_is_not_adopted(town: Town, run: Any, database: Database, asha: int, choice: str) -> None:
    lost(town, asha, choice)
    code, out, err = run(f"payments adopt {LOST} --user asha")
    assert (code, out, "there is nothing to credit" in err) == (2, "", True)
    assert (balances(database, asha), database.now(recharges.found, LOST)[0]) == ({}, None)
    assert "payments adopt" not in run(f"payments ask {LOST}")[1]


def test_an_order_of_another_shop_of_ours_is_not_adopted(town: Town, run: Any, database: Database, asha: int) -> None:
    order = lost(town, asha, order="SHOP-77")
    code, _, err = run(f"payments adopt {order} --user asha")
    assert (code, err) == (2, "SHOP-77 is no recharge of this app. Nothing was moved.\n")
    assert balances(database, asha) == {}


def test_an_order_is_adopted_for_the_driver_whom_phonepe_names(
    town: Town, run: Any, database: Database, asha: int
) -> None:
    ravi = database.now(house.driver, "ravi")[0]
    lost(town, asha)
    code, _, err = run(f"payments adopt {LOST} --user ravi --registered-again")
    assert (code, err) == (2, f"PhonePe names asha, number {asha}, as its driver. Nothing was moved.\n")
    stranger = lost(town, ravi + 70, order=f"RCH-{'0' * 32}")
    assert "who is not here any more: find out who paid" in run(f"payments ask {stranger}")[1]
    code, _, err = run(f"payments adopt {stranger} --user ravi")
    assert (code, f"PhonePe names number {ravi + 70} as its driver; ravi is number {ravi}." in err) == (2, True)
    assert balances(database, asha) == {}


def test_a_number_that_was_given_again_is_not_taken_for_the_driver(
    town: Town, run: Any, database: Database, asha: int
) -> None:
    lost(town, asha)
    began(database, asha, timedelta(hours=1))
    said = run(f"payments ask {LOST}")[1]
    assert "asha" not in said and said.endswith(f"payments adopt {LOST} --user <user>\n")
    code, _, err = run(f"payments adopt {LOST} --user {asha}")
    assert (code, "asha's account began after this payment." in err) == (2, True)
    assert balances(database, asha) == {}
    assert run(f"payments adopt {LOST} --user {asha} --registered-again")[0] == 0
    assert balances(database, asha)[wallet.wallet_code(asha)] == 50_000


def test_phonepe_is_asked_about_one_order(town: Town, run: Any, database: Database, asha: int) -> None:
    order = database.now(placing.place, asha, RUPEES_500, "n1")[0].merchant_order_id
    lost(town, asha, "later", order)
    code, out, _ = run(f"payments ask {order}")
    assert (code, out) == (
        0,
        f"PhonePe says PENDING of {order}: ₹500.00.\n"
        f"Here it is PENDING, of user {asha}. It can still be paid; the server asks on.\n",
    )
    town.sandbox.orders.take(town.sandbox.orders.find(order), "pay")
    for _ in range(2):
        code, out, _ = run(f"payments ask {order}")
        assert code == 0
        assert out.endswith(
            f"Here it is CREDITED, of user {asha}. The money is in the wallet.\n"
            f"PhonePe's number of its transaction: {town.sandbox.orders.find(order).attempts[-1]['transactionId']}\n"
        )
    assert balances(database, asha)[wallet.wallet_code(asha)] == 50_000


def test_what_phonepe_does_not_say_or_know_is_told(town: Town, run: Any, database: Database, asha: int) -> None:
    order = database.now(placing.place, asha, RUPEES_500, "n1")[0].merchant_order_id
    code, out, _ = run(f"payments ask {order}")
    assert (code, out.splitlines()[0]) == (0, f"PhonePe does not know {order}.")
    assert "Here it is NEW" in out
    for what in (LOST, "REF-0"):
        assert run(f"payments ask {what}")[::2] == (2, f"Neither PhonePe nor our books know {what}.\n")
    assert run(f"payments adopt {LOST} --user asha")[::2] == (2, f"PhonePe does not know {LOST}. Nothing was moved.\n")
    for line in (f"payments ask {LOST}", f"payments adopt {LOST} --user asha", "payments ask REF-0"):
        town.sandbox.faults["refund-status" if "REF" in line else "status"].append("503")
        code, out, err = run(line)
        assert (code, out, "PhonePe did not say what became of" in err) == (1, "", True), line


def test_a_refund_that_only_phonepe_knows_is_money_to_take_from_the_wallet(
    town: Town, run: Any, database: Database, asha: int
) -> None:
    order = paid(town, database, asha)
    refund_id = f"REF-{'0' * 32}"
    asked = {"merchantRefundId": refund_id, "amount": 20_050, "originalMerchantOrderId": order}
    town.sandbox.refunds.open(asked)
    code, out, _ = run(f"payments ask {refund_id}")
    assert (code, f"PhonePe says PENDING of {refund_id}: ₹200.50 of {order}." in out) == (0, True)
    assert run(out.splitlines()[-1].removeprefix("python -m domain "))[0] == 0
    assert balances(database, asha)[wallet.wallet_code(asha)] == 29_950
    town.sandbox.refunds.find(refund_id).merchant_order_id = LOST
    assert "so is its recharge" in run(f"payments ask {refund_id}")[1]


def test_phonepe_is_asked_about_one_refund(town: Town, run: Any, database: Database, asha: int) -> None:
    run(f"refund request {paid(town, database, asha)} 100 --reason why")
    refund_id = one_refund(database).merchant_refund_id
    town.sandbox.refunds.find(refund_id).state = "COMPLETED"
    code, out, _ = run(f"payments ask {refund_id}")
    assert (code, f"Here it is COMPLETED, of user {asha}. It has been paid back." in out) == (0, True)


# Reconciling
