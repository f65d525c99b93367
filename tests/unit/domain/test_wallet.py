"""The ledger's promises one by one, on both databases: what it moves, what it refuses, what stays written."""

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from domain import placing, story, wallet
from domain.events import WalletChanged
from domain.models import Entry, Hold, HoldState, RechargeOrder, SessionState
from domain.sentences import Sentence
from domain.wallet import InsufficientFunds, LedgerConflict, NotAdjusted
from tests.money.house import broken, charge, driver, give, money, owe


@pytest.fixture
def asha(db: Session) -> int:
    """A driver with ₹1,000."""
    user_id = driver(db)
    give(db, user_id, 100_000)
    return user_id


def session_of(db: Session, user_id: int, number: int = 1) -> int:
    """A session; not an open one, so that a driver may have several."""
    return charge(db, user_id, number, SessionState.INTERRUPTED)


def paid_order(db: Session, user_id: int, paise: int = 50_000, nonce: str = "n") -> RechargeOrder:
    return placing.place(db, user_id, paise, nonce)


# Posting


def test_a_new_driver_has_nothing(db: Session) -> None:
    user_id = driver(db)
    assert money(db, user_id) == wallet.Balance(0, 0, 0)
    assert story.lines(db, user_id) == []


def test_a_transfer_leaves_an_entry_on_each_side(db: Session, asha: int) -> None:
    code = wallet.wallet_code(asha)
    transfer = wallet.post(
        db, "k", "charging", {code: -4_338, wallet.REVENUE: 3_676, wallet.GST: 662, wallet.due_code(asha): 0}
    )
    entries = db.exec(select(Entry).where(Entry.transfer_id == transfer.id)).all()
    assert {e.account_code: e.amount_paise for e in entries} == {code: -4_338, wallet.REVENUE: 3_676, wallet.GST: 662}
    assert {e.account_code: e.balance_after_paise for e in entries} == {
        code: 95_662,
        wallet.REVENUE: 3_676,
        wallet.GST: 662,
    }
    assert money(db, asha).balance_paise == 95_662


@pytest.mark.parametrize("paise", [(1, 1), (100, -99), (0, 0)])
def test_what_does_not_add_up_is_refused(db: Session, asha: int, paise: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="add up to"):
        wallet.post(db, "k", "charging", {wallet.wallet_code(asha): paise[0], wallet.REVENUE: paise[1]})
    with pytest.raises(ValueError, match="add up to"):
        wallet.post(db, "k", "charging", {})


def test_an_account_nobody_opened(db: Session) -> None:
    with pytest.raises(LookupError, match="no account wallet:99"):
        wallet.post(db, "k", "adjustment", {"wallet:99": 5, wallet.GOODWILL: -5})


def test_the_same_key_gives_the_first_transfer(db: Session, asha: int) -> None:
    postings = {wallet.wallet_code(asha): -500, wallet.REVENUE: 500}
    first = wallet.post(db, "k", "charging", postings, ref="S1", description="one text")
    again = wallet.post(db, "k", "charging", dict(reversed(postings.items())), ref="S1", description="another")
    assert again.id == first.id
    assert again.description == "one text"
    assert money(db, asha).balance_paise == 99_500


@pytest.mark.parametrize(
    "other",
    [
        {"postings": {"wallet:1": -501, "revenue:charging": 501}},
        {"postings": {"due:1": -500, "revenue:charging": 500}},
        {"postings": {"wallet:1": -500, "revenue:charging": 499, "gst:output": 1}},
        {"kind": "refund"},
        {"ref": "S2"},
    ],
)
def test_the_same_key_with_other_figures_is_a_conflict(db: Session, asha: int, other: dict[str, Any]) -> None:
    code = wallet.wallet_code(asha)
    given: dict[str, Any] = {"kind": "charging", "postings": {code: -500, wallet.REVENUE: 500}, "ref": ""}
    wallet.post(db, "k", **given)
    if postings := other.get("postings"):
        other = {"postings": {account.replace(":1", f":{asha}"): paise for account, paise in postings.items()}}
    with pytest.raises(LedgerConflict):
        wallet.post(db, "k", **given | other)
    assert money(db, asha) == wallet.Balance(99_500, 0, 0)
    assert broken(db) == []


def test_a_wallet_is_never_overdrawn(db: Session, asha: int) -> None:
    code = wallet.wallet_code(asha)
    with pytest.raises(IntegrityError), db.begin_nested():
        wallet.post(db, "k", "charging", {code: -100_001, wallet.REVENUE: 100_001})
    wallet.post(db, "k", "charging", {code: -100_000, wallet.REVENUE: 100_000})
    assert money(db, asha).balance_paise == 0


def test_held_money_is_not_spent(db: Session, asha: int) -> None:
    wallet.hold(db, session_of(db, asha), asha, at_least=1, at_most=60_000)
    code = wallet.wallet_code(asha)
    with pytest.raises(IntegrityError), db.begin_nested():
        wallet.post(db, "k", "charging", {code: -40_001, wallet.REVENUE: 40_001})
    wallet.post(db, "k", "charging", {code: -40_000, wallet.REVENUE: 40_000})


def test_arrears_are_never_a_credit(db: Session, asha: int) -> None:
    owe(db, asha, 300)
    with pytest.raises(IntegrityError), db.begin_nested():
        wallet.post(db, "k", "recharge", {wallet.due_code(asha): 301, wallet.GATEWAY: -301})


def test_everybody_concerned_hears_of_it(db: Session, asha: int) -> None:
    ravi = driver(db, "ravi")
    db.info.clear()
    postings = {wallet.wallet_code(asha): -100, wallet.wallet_code(ravi): 100}
    wallet.post(db, "k", "adjustment", postings)
    assert set(db.info["events"]) == {WalletChanged(asha), WalletChanged(ravi)}
    db.info.clear()
    wallet.post(db, "k", "adjustment", postings)
    assert "events" not in db.info


# Holds


@pytest.mark.parametrize(("at_most", "held"), [(1, 1), (99_999, 99_999), (100_000, 100_000), (200_000, 100_000)])
def test_a_hold_takes_what_is_free_up_to_its_cap(db: Session, asha: int, at_most: int, held: int) -> None:
    session_id = session_of(db, asha)
    db.info.clear()
    assert wallet.hold(db, session_id, asha, at_least=1, at_most=at_most).amount_paise == held
    assert db.info["events"] == [WalletChanged(asha)]
    balance = money(db, asha)
    assert (balance.balance_paise, balance.held_paise, balance.free_paise) == (100_000, held, 100_000 - held)


def test_too_little_free_money_holds_nothing(db: Session, asha: int) -> None:
    wallet.hold(db, session_of(db, asha), asha, at_least=1, at_most=96_000)
    other = session_of(db, asha, 2)
    with pytest.raises(InsufficientFunds):
        wallet.hold(db, other, asha, at_least=5_000, at_most=50_000)
    assert money(db, asha).held_paise == 96_000
    assert db.get(Hold, other) is None


def test_a_hold_grows_and_shrinks_within_what_is_free(db: Session, asha: int) -> None:
    first, second = session_of(db, asha), session_of(db, asha, 2)
    wallet.hold(db, first, asha, at_least=1, at_most=30_000)
    wallet.hold(db, second, asha, at_least=1, at_most=50_000)
    db.info.clear()
    assert wallet.resize_hold(db, first, 200_000) == 50_000
    assert db.info["events"] == [WalletChanged(asha)]
    assert wallet.resize_hold(db, first, 10_000) == 10_000
    assert wallet.resize_hold(db, first, 0) == 0
    assert money(db, asha).held_paise == 50_000
    assert broken(db) == []


def test_a_hold_is_released_once(db: Session, asha: int) -> None:
    session_id = session_of(db, asha)
    wallet.hold(db, session_id, asha, at_least=1, at_most=30_000)
    db.info.clear()
    assert wallet.release(db, session_id, HoldState.SETTLED) == 30_000
    assert db.info.pop("events") == [WalletChanged(asha)]
    assert wallet.release(db, session_id) == 0
    assert wallet.resize_hold(db, session_id, 50_000) == 0
    held = db.get_one(Hold, session_id)
    assert (held.state, held.amount_paise) == (HoldState.SETTLED, 30_000)
    assert held.closed_at is not None
    assert money(db, asha).held_paise == 0


def test_no_hold_is_nothing_to_change(db: Session, asha: int) -> None:
    assert wallet.release(db, 4711) == 0
    assert wallet.resize_hold(db, 4711, 5) == 0


def test_a_released_hold_can_be_opened_again(db: Session, asha: int) -> None:
    session_id = session_of(db, asha)
    wallet.hold(db, session_id, asha, at_least=1, at_most=30_000)
    wallet.release(db, session_id)
    assert wallet.rehold(db, session_id, asha, at_most=40_000) == 40_000
    assert money(db, asha).held_paise == 40_000
    wallet.release(db, session_id, HoldState.SETTLED)
    assert wallet.rehold(db, session_id, asha, at_most=40_000) == 0
    assert broken(db) == []


def test_a_hold_that_never_was_is_opened_by_rehold(db: Session) -> None:
    user_id = driver(db)
    session_id = session_of(db, user_id)
    assert wallet.rehold(db, session_id, user_id, at_most=40_000) == 0
    assert db.get_one(Hold, session_id).state == HoldState.OPEN


# Recharges and corrections


def test_a_recharge_is_credited_once_even_when_arrears_changed_since(db: Session) -> None:
    user_id = driver(db)
    order = paid_order(db, user_id)
    first = wallet.credit_recharge(db, order)
    owe(db, user_id, 800)
    assert wallet.credit_recharge(db, order).id == first.id
    order.state = "CREDITED"
    assert money(db, user_id) == wallet.Balance(50_000, 0, 800)


@pytest.mark.parametrize(("owed", "balance", "left"), [(0, 50_000, 0), (1, 49_999, 0), (50_000, 0, 0), (50_001, 0, 1)])
def test_arrears_come_first(db: Session, owed: int, balance: int, left: int) -> None:
    user_id = driver(db)
    if owed:
        owe(db, user_id, owed)
    wallet.credit_recharge(db, paid_order(db, user_id)).ref.startswith("RCH-")
    assert money(db, user_id) == wallet.Balance(balance, 0, left)


@pytest.mark.parametrize(
    ("paise", "reason", "sentence"),
    [
        (0, "why", "Choose an amount up to ₹1,00,000.00."),
        (10_000_001, "why", "Choose an amount up to ₹1,00,000.00."),
        (-10_000_001, "why", "Choose an amount up to ₹1,00,000.00."),
        (100, "", "An adjustment needs a reason."),
        (100, " \n ", "An adjustment needs a reason."),
        (-100_001, "why", "The wallet has only ₹1,000.00 available. Nothing was moved."),
    ],
)
def test_an_adjustment_that_cannot_be_is_refused_in_a_sentence(
    db: Session, asha: int, paise: int, reason: str, sentence: str
) -> None:
    with pytest.raises(NotAdjusted) as refused:
        wallet.adjust(db, asha, paise, key="k", reason=reason)
    assert refused.value.args == (sentence,)
    assert isinstance(refused.value.args[0], Sentence)


def test_an_adjustment_moves_a_lakh_at_most(db: Session, asha: int) -> None:
    wallet.adjust(db, asha, 10_000_000, key="k", reason="why")
    wallet.adjust(db, asha, -10_000_000, key="l", reason="why")
    assert money(db, asha).free_paise == 100_000


def test_an_adjustment_takes_no_more_than_is_free(db: Session, asha: int) -> None:
    wallet.hold(db, session_of(db, asha), asha, at_least=1, at_most=60_000)
    with pytest.raises(NotAdjusted):
        wallet.adjust(db, asha, -40_001, key="k", reason="too much")
    wallet.adjust(db, asha, -40_000, key="k", reason=f" {'because ' * 40}")
    assert wallet.adjust(db, asha, -40_000, key="k", reason="the same again").id
    with pytest.raises(LedgerConflict):
        wallet.adjust(db, asha, -1, key="k", reason="another amount")
    assert money(db, asha).free_paise == 0
    assert len(story.lines(db, asha)[0].description) == 200


@pytest.mark.parametrize(("owed", "left"), [(700, (300, 0)), (1_000, (0, 0)), (1_300, (0, 300))])
def test_an_adjustment_pays_what_is_owed_once(db: Session, owed: int, left: tuple[int, int]) -> None:
    """Nobody owes who has money; the operator's own line stays as he wrote it."""
    user_id = driver(db)
    owe(db, user_id, owed)
    for _ in range(2):
        wallet.adjust(db, user_id, 1_000, key="k", reason="sorry")
    assert money(db, user_id) == wallet.Balance(left[0], 0, left[1])
    paid = min(owed, 1_000)
    assert [line.amount_paise for line in story.lines(db, user_id)][:3] == [-paid, paid, 1_000]
    wallet.post(db, "owes again", "charging", {wallet.due_code(user_id): -50, wallet.REVENUE: 50})
    before = money(db, user_id)
    wallet.adjust(db, user_id, 1_000, key="k", reason="sorry")
    assert money(db, user_id) == before
    with pytest.raises(LedgerConflict):
        wallet.adjust(db, user_id, 900, key="k", reason="another amount")
    assert broken(db) == []


def test_what_comes_pays_the_oldest_debt_first(db: Session) -> None:
    asha, ben = driver(db), driver(db, "ben")
    owe(db, ben, 9)
    for ref, paise in (("A", 400), ("B", 300), ("A", 50)):
        postings = {wallet.due_code(asha): -paise, wallet.REVENUE: paise}
        wallet.post(db, f"{ref}{paise}", "charging", postings, ref=ref)
    owed = []
    for paid in (0, 1, 400, 300, 49):
        if paid:
            give(db, asha, paid, f"paid {paid}")
        owed.append((wallet.owed_of(db, asha, "A"), wallet.owed_of(db, asha, "B")))
    assert owed == [(450, 300), (449, 300), (50, 299), (49, 0), (0, 0)]
