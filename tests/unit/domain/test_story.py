"""A wallet's story: its lines in pages, of one kind, and what each says."""

import pytest
from sqlmodel import Session

from domain import placing, story, wallet
from tests.money.house import driver, give, owe


@pytest.fixture
def asha(db: Session) -> int:
    """A driver with ₹1,000."""
    user_id = driver(db)
    give(db, user_id, 100_000)
    return user_id


def test_the_story_is_paged_without_gaps(db: Session, asha: int) -> None:
    ravi = driver(db, "ravi")
    for n in range(1, 56):
        give(db, asha, n, str(n))
        give(db, ravi, n, str(n))
    owe(db, asha, 7)
    pages = [story.lines(db, asha)]
    for _ in range(3):
        pages.append(story.lines(db, asha, before=pages[-1][-1].id))
    assert [len(page) for page in pages] == [20, 20, 17, 0]
    told = [line for page in pages for line in page]
    assert [line.amount_paise for line in told] == [-7, *range(55, 0, -1), 100_000]
    assert [line.arrears for line in told] == [True, *[False] * 56]
    running = 0
    for line in reversed(told[1:]):
        running += line.amount_paise
        assert line.balance_after_paise == running


def test_the_story_of_one_kind(db: Session, asha: int) -> None:
    wallet.post(db, "k", "recharge", {wallet.wallet_code(asha): 500, wallet.GATEWAY: -500})
    assert [line.amount_paise for line in story.lines(db, asha, kind="recharge")] == [500]
    assert [line.amount_paise for line in story.lines(db, asha, kind="adjustment")] == [100_000]


def test_a_line_says_what_it_was_for(db: Session, asha: int) -> None:
    order = placing.place(db, asha, 50_000, "n")
    wallet.credit_recharge(db, order)
    line = story.lines(db, asha)[0]
    assert (line.kind, line.amount_paise, line.balance_after_paise) == ("recharge", 50_000, 150_000)
    assert line.ref == order.merchant_order_id
    assert line.description == "Payment with PhonePe"
