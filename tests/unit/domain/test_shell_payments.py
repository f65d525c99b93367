"""The operator's shell for payments: what it says, what it books, and how it ends, with the sandbox on a port."""

import asyncio
import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from domain import funnel, placing, recharges, refunds, settled_payments, story, trail, wallet
from domain.__main__ import main
from domain.audit import CHECKS
from domain.breaker import Breaker
from domain.db import Database
from domain.models import Account, Finding, Refund
from domain.recharges import OrderStatus
from domain.settings import settings
from domain.shell import payments
from simulator.phonepe import Sandbox
from tests.asked import asked
from tests.money import house

RUPEES_500 = house.RUPEES_500
HEAD = "PaymentType,MerchantReferenceId,PhonePeReferenceId,Amount,TransactionDate,SettlementDate"


class Town:
    """A sandbox that serves in a thread of its own, since the shell has its own event loop."""

    def __init__(self) -> None:
        self.sandbox: Sandbox
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self.sandbox = Sandbox(seed=1, hold_s=0)
        async with self.sandbox.serving() as self.url:
            self._up.set()
            await self._stop.wait()

    def __enter__(self) -> "Town":
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Town]:
    monkeypatch.setattr(funnel, "breaker", Breaker())
    monkeypatch.setattr(settings(), "var_dir", str(tmp_path))
    with Town() as town:
        monkeypatch.setattr(settings(), "phonepe_pg_url", town.url)
        monkeypatch.setattr(settings(), "phonepe_oauth_url", town.url)
        yield town


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(settings(), "database_url", database_url)
    with closing(Database(database_url)) as database:
        yield database
        assert database.now(house.broken)[0] == []


@pytest.fixture
def run(database: Database, capsys: pytest.CaptureFixture[str]) -> Callable[[str], tuple[int, str, str]]:
    def typed(line: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(shlex.split(line))
        except SystemExit as left:
            code = int(str(left.code))
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return code, said.out, said.err

    return typed


@pytest.fixture
def asha(database: Database) -> int:
    return database.now(house.driver)[0]


def paid(town: Town, database: Database, user_id: int, nonce: str = "n1", amount: int = RUPEES_500) -> str:
    """A recharge of ₹500 that was paid in the sandbox, there maybe with another amount."""
    order = database.now(placing.place, user_id, RUPEES_500, nonce)[0]
    asked = {
        "merchantOrderId": order.merchant_order_id,
        "amount": amount,
        "paymentFlow": {"type": "PG_CHECKOUT", "merchantUrls": {"redirectUrl": "http://localhost/"}},
    }
    town.sandbox.orders.take(town.sandbox.orders.open(asked), "pay")
    utr = town.sandbox.orders.find(order.merchant_order_id).attempts[0]["rail"]["utr"]
    status = OrderStatus("OMO1", "COMPLETED", amount, utr, "", "", "", {"nonce": nonce})
    database.now(recharges.apply, order.merchant_order_id, status)
    return order.merchant_order_id


def one_refund(database: Database) -> Refund:
    return database.now(lambda db: db.exec(select(Refund)).one())[0]


def balances(database: Database, user_id: int) -> dict[str, int]:
    def look(db: Session) -> dict[str, int]:
        return {account.code: account.balance_paise for account in db.exec(select(Account)) if account.balance_paise}

    return database.now(look)[0]


def kinds(database: Database) -> list[str]:
    return database.now(lambda db: list(db.exec(select(Finding.kind).order_by(col(Finding.id)))))[0]


# Refunds


def test_a_refund_is_requested_sent_and_listed(town: Town, run: Any, database: Database, asha: int) -> None:
    order = paid(town, database, asha)
    code, out, err = run(f'refund request {order} 200 --reason "He sold the car"')
    refund = one_refund(database)
    assert (code, err) == (0, "")
    assert f"₹200.00 left the wallet for {refund.merchant_refund_id}." in out
    assert "PENDING: PhonePe took it. Banks need 5 to 7 working days." in out
    assert balances(database, asha) == {
        wallet.GATEWAY: -50_000,
        wallet.CLEARING: 20_000,
        wallet.wallet_code(asha): 30_000,
    }
    code, out, _ = run("refund list")
    assert code == 0
    assert all(word in out for word in (refund.merchant_refund_id, order, "₹200.00", "PENDING", "He sold the car"))
    for user in (str(asha), "asha"):
        code, out, _ = run(f"payments list --user {user}")
        assert (code, order in out, "CREDITED" in out) == (0, True, True)
    ravi = database.now(house.driver, "ravi")[0]
    code, out, _ = run(f"payments list --user {ravi}")
    assert (code, order in out) == (0, False)


def test_the_same_key_is_the_same_refund(town: Town, run: Any, database: Database, asha: int) -> None:
    order = paid(town, database, asha)
    for _ in range(3):
        assert run(f"refund request {order} 200 --reason why --key monday")[0] == 0
    assert town.sandbox.calls["refund"] == 1
    assert run(f"refund request {order} 201 --reason why --key monday")[0] == 2
    assert one_refund(database).amount_paise == 20_000
    assert [act.action for act in database.now(trail.entries)[0]] == ["refund request"]


@pytest.mark.row("R33")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{order} 500.01 --reason why", "No more than ₹500.00 of this recharge can go back."),
        ("{order} 0.99 --reason why", "The least that can go back is ₹1.00."),
        ("RCH-0 100 --reason why", "There is no recharge RCH-0."),
        ("{order} 1e3 --reason why", "Enter the amount in digits"),
        ("{order} -5 --reason why", "See: python -m domain refund request --help"),
        ("{order} 100", "--reason"),
        ('{order} 100 --reason " "', "A refund needs a reason"),
    ],
)
def test_a_refund_that_cannot_be_is_refused_with_a_sentence(
    town: Town, run: Any, database: Database, asha: int, line: str, said: str
) -> None:
    """R33."""
    code, out, err = run("refund request " + line.format(order=paid(town, database, asha)))
    assert (code, out) == (2, "")
    assert said in err
    assert town.sandbox.calls["refund"] == 0


def test_a_second_one_waits_for_the_first(town: Town, run: Any, database: Database, asha: int) -> None:
    order = paid(town, database, asha)
    run(f"refund request {order} 100 --reason why")
    code, _, err = run(f"refund request {order} 100 --reason why")
    assert code == 2
    assert f"on their way back already ({one_refund(database).merchant_refund_id})" in err


def test_what_phonepe_refuses_is_bad_news(town: Town, run: Any, database: Database, asha: int) -> None:
    order = paid(town, database, asha)
    town.sandbox.faults["refund"].append("400")
    code, _, err = run(f"refund request {order} 100 --reason why")
    assert code == 1
    assert "REJECTED: PhonePe refused it; the money is in the wallet again. PhonePe's code: BAD_REQUEST." in err
    assert wallet.CLEARING not in balances(database, asha)


@pytest.mark.row("R32")
def test_a_lost_answer_says_to_wait_and_can_be_given_up(town: Town, run: Any, database: Database, asha: int) -> None:
    """R32."""
    order = paid(town, database, asha)
    town.sandbox.faults["refund"].append("503")
    code, out, _ = run(f"refund request {order} 100 --reason why")
    assert (code, "UNKNOWN: " in out, "Do not send another." in out) == (0, True, True)
    refund = one_refund(database)
    code, out, _ = run(f"refund give-up {refund.merchant_refund_id}")
    assert (code, out) == (0, "₹100.00 are in the wallet again. A new refund may be requested.\n")
    code, _, err = run(f"refund give-up {refund.merchant_refund_id}")
    assert (code, "is REJECTED" in err) == (2, True)
    assert run("refund give-up REF-0")[0] == 2
    assert balances(database, asha)[wallet.wallet_code(asha)] == 50_000


def test_what_phonepe_took_is_not_given_up(town: Town, run: Any, database: Database, asha: int) -> None:
    run(f"refund request {paid(town, database, asha)} 100 --reason why")
    refund_id = one_refund(database).merchant_refund_id
    code, _, err = run(f"refund give-up {refund_id}")
    assert (code, f"{refund_id} is PENDING" in err) == (2, True)
    assert database.now(refunds.found, refund_id)[0].state == "PENDING"


def test_another_amount_that_went_back_is_accepted(town: Town, run: Any, database: Database, asha: int) -> None:
    run(f"refund request {paid(town, database, asha)} 100 --reason why")
    refund_id = one_refund(database).merchant_refund_id
    code, _, err = run(f"refund accept {refund_id} --reason asked")
    assert (code, f"PhonePe says PENDING of {refund_id}; there is nothing to book yet" in err) == (2, True)
    town.sandbox.refunds.find(refund_id).overrides = {"state": "COMPLETED", "amount": 9_000}
    code, out, _ = run(f"refund accept {refund_id} --reason 'PhonePe says its ticket 7 is right'")
    assert (code, out) == (0, "₹90.00 were booked as paid back of ₹100.00.\n₹10.00 are in the wallet again.\n")
    assert balances(database, asha)[wallet.wallet_code(asha)] == 41_000
    code, _, err = run(f"refund accept {refund_id} --reason again")
    assert (code, "is COMPLETED" in err) == (2, True)
    assert run("refund accept REF-0 --reason x")[0] == 2


# Suspense


@pytest.mark.row("R11")
def test_money_with_another_amount_is_set_aside_then_given(town: Town, run: Any, database: Database, asha: int) -> None:
    """R11: by an operator, and once each."""
    order = paid(town, database, asha, amount=49_900)
    assert balances(database, asha) == {}
    for _ in range(2):
        code, out, _ = run(f"payments suspense {order}")
        assert (code, out) == (0, f"₹499.00 of {order} are in suspense.\n")
    assert balances(database, asha) == {wallet.GATEWAY: -49_900, wallet.SUSPENSE: 49_900}
    database.now(house.owe, asha, 10_000)
    for _ in range(2):
        code, out, _ = run(f"payments suspense {order} --to-wallet")
        assert (code, "arrears first" in out) == (0, True)
    after = balances(database, asha)
    assert (after[wallet.GATEWAY], after[wallet.wallet_code(asha)]) == (-49_900, 39_900)
    assert wallet.SUSPENSE not in after and wallet.due_code(asha) not in after
    (line, cleared) = database.now(story.lines, asha)[0][:2]
    assert (line.kind, line.amount_paise, cleared.arrears) == ("adjustment", 39_900, True)
    assert [act.detail for act in database.now(trail.entries)[0]] == ["given to the driver", "set aside"]


def test_another_sum_than_before_is_not_set_aside(town: Town, run: Any, database: Database, asha: int) -> None:
    order = paid(town, database, asha, amount=49_900)
    run(f"payments suspense {order}")
    town.sandbox.orders.find(order).overrides = {"amount": 49_800}
    code, _, err = run(f"payments suspense {order}")
    assert (code, "posted before with other figures" in err) == (2, True)


def test_nothing_is_set_aside_without_a_mismatch_and_a_word_of_phonepe(
    town: Town, run: Any, database: Database, asha: int
) -> None:
    fine, odd = paid(town, database, asha), paid(town, database, asha, "n2", 49_900)
    before = balances(database, asha)
    for order, said in ((fine, "paid with another amount"), ("RCH-0", "PhonePe does not know this payment.")):
        code, _, err = run(f"payments suspense {order}")
        assert code == 2 and said in err
    town.sandbox.faults["status"].append("503")
    code, _, err = run(f"payments suspense {odd}")
    assert (code, "PhonePe did not say what was paid; nothing was booked." in err) == (1, True)
    town.sandbox.orders.find(odd).overrides = {"state": "PENDING"}
    code, _, err = run(f"payments suspense {odd}")
    assert (code, "PhonePe says PENDING" in err) == (2, True)
    assert balances(database, asha) == before


# One payment


def test_a_house_in_order(town: Town, run: Any, database: Database, asha: int) -> None:
    paid(town, database, asha)
    code, out, err = run("payments reconcile")
    assert (code, err) == (0, "")
    assert "Payments of two days that PhonePe was asked about: 1; unanswered: 0." in out
    assert out.endswith("Everything fits.\n")


def test_what_does_not_fit_is_told_kept_and_bad_news(town: Town, run: Any, database: Database, asha: int) -> None:
    order = paid(town, database, asha)
    town.sandbox.orders.find(order).overrides = {"amount": 49_999}
    for _ in range(2):
        code, out, err = run("payments reconcile")
        assert code == 1
        assert "gateway-amount" in out and order in out and "₹499.99" in out
        assert err == "1 thing does not fit. `findings list` shows them until somebody has looked.\n"
    assert kinds(database) == ["gateway-amount"]
    assert order in run("findings list")[1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_books_are_read_without_keeping_anybody_from_writing(
    town: Town, run: Any, database: Database, asha: int, tmp_path: Path
) -> None:
    """On SQLite every start, stop and sample waits for whoever has begun to write."""
    order = paid(town, database, asha)
    report = tmp_path / "report.csv"
    report.write_text("\n".join((HEAD, f"PAYMENT,{order},OM1,500.00,2026-11-20,2026-11-21")))
    with asked() as found:
        run(f"payments reconcile --settlement {report}")
    sums: dict[str, list[str]] = {"BEGIN": [], "BEGIN IMMEDIATE": []}
    begun = "BEGIN"
    for statement, _ in found:
        if statement in sums:
            begun = statement
        elif "sum(" in statement.lower():
            sums[begun].append(statement)
    assert len(sums["BEGIN"]) > len(CHECKS) / 2
    assert sums["BEGIN IMMEDIATE"] == []


def test_phonepe_away_is_told(town: Town, run: Any, database: Database, asha: int) -> None:
    paid(town, database, asha)
    town.sandbox.faults["status"].append("503")
    code, out, _ = run("payments reconcile")
    assert (code, "unanswered: 1." in out) == (0, True)


@pytest.mark.row("R39")
def test_a_settlement_report_is_read_once(town: Town, run: Any, database: Database, asha: int, tmp_path: Path) -> None:
    """R39."""
    order = paid(town, database, asha)
    today = database.now(recharges.found, order)[0].created_at.date().isoformat()
    report = tmp_path / "report.csv"
    rows = (f"PAYMENT,{order},OM1,500.00,{today},{today}", f"PAYMENT,RCH-9,OM2,700.00,{today},{today}")
    report.write_text("\n".join((HEAD, *rows)))
    code, out, _ = run(f"payments reconcile --settlement {report}")
    assert code == 1
    assert "The report has 2 new lines and 0 known ones." in out
    assert "₹1,200.00" in out and "settled-unknown" in out and "RCH-9" in out
    code, out, _ = run(f"payments reconcile --settlement {report}")
    assert "The report has 0 new lines and 2 known ones." in out
    assert (code, out.endswith("Everything fits.\n")) == (0, True)
    assert kinds(database) == ["settled-unknown"]


def test_what_a_report_shows_is_kept_though_the_rest_fails(
    town: Town, run: Any, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A line is compared once, and many of them a part at a time: whoever writes keeps all others waiting."""
    report = tmp_path / "report.csv"
    rows = (f"PAYMENT,RCH-{n},OM{n},500.00,2026-11-20,2026-11-21" for n in range(5))
    report.write_text("\n".join((HEAD, *rows)))
    monkeypatch.setattr(payments, "PART", 2)
    with monkeypatch.context() as broken, pytest.raises(AttributeError):
        broken.delattr(settled_payments, "missing")
        run(f"payments reconcile --settlement {report}")
    assert kinds(database) == ["settled-unknown"] * 5
    assert "The report has 0 new lines and 5 known ones." in run(f"payments reconcile --settlement {report}")[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"\xff\xfe\x00", "cannot be read: it is no text."),
        (b"a,b\n1,2", "This is no settlement report"),
        (f"{HEAD}\nPAYMENT,RCH-1,OM1,5e2,2026-11-20,2026-11-21".encode(), "Line 2: Amount '5e2' is not an amount"),
    ],
)
def test_a_file_that_is_no_report_is_refused_before_anything_is_done(
    town: Town, run: Any, database: Database, tmp_path: Path, content: bytes | None, said: str
) -> None:
    report = tmp_path / "report.csv"
    if content is not None:
        report.write_bytes(content)
    code, out, err = run(f"payments reconcile --settlement {report}")
    assert (code, out) == (2, "")
    assert said in err
