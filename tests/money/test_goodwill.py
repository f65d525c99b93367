"""Money given back of a bill: a transfer of its own, a credit note, and the original untouched (payments.md C37)."""

import pytest
from sqlmodel import select

from domain import accounts, goodwill, receipts, settings, story, tariffs, wallet
from domain.goodwill import NotGivenBack
from domain.models import Finding, Receipt
from domain.prices import Line, Price
from domain.receipts import Kind
from tests.money import house
from tests.money.charges import METER, Desk

GSTIN = "29ABCDE1234F1Z5"


def charged(desk: Desk, rupees: int = 1_000, kwh: int = 4) -> tuple[int, int]:
    asha = desk.driver(rupees)
    desk.charger()
    session_id = desk.charging(asha)
    desk.passes(minutes=kwh)
    desk.stop(session_id, METER + kwh * 1_000)
    desk.passes(minutes=1)
    return asha, session_id


def test_it_is_a_transfer_and_a_credit_note_and_changes_nothing_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.settings(), "seller_gstin", GSTIN)
    asha, session_id = charged(desk)
    ref = desk.session(session_id).ref
    receipt = desk.do(receipts.of_charge, asha, ref)
    desk.do(goodwill.give_back, session_id, 2_000, "The charger was slow")
    assert desk.free(asha) == 1_000 - 72 + 20
    assert desk.do(receipts.of_charge, asha, ref) == receipt
    note = desk.do(receipts.of_note, asha, "CN-26-27-0000001")
    assert (note.kind, note.corrects, note.before_paise, note.total_paise) == (
        Kind.CREDIT_NOTE,
        receipt.number,
        7_200,
        2_000,
    )
    assert note.lines == (Line("energy", 4_000, 1_800, 7_200), Line("goodwill", 1, -2_000, -2_000))
    entries = desk.do(
        lambda db: {e.account_code: e.amount_paise for e in house.entries(db, f"session:{session_id}:goodwill")}
    )
    assert entries == {wallet.wallet_code(asha): 2_000, wallet.REVENUE: -1_695, wallet.GST: -305}
    assert desk.session(session_id).gst_paise == 1_098 - 305
    [line, *_] = desk.do(story.lines, asha)
    assert line.description == "Given back of a charge at BLR-1, connector 1: The charger was slow"


def test_once_a_charge_and_never_more_than_it_cost(desk: Desk) -> None:
    asha, session_id = charged(desk)
    for paise in (0, -1, 7_201):
        with pytest.raises(NotGivenBack, match=r"₹72\.00"):
            desk.do(goodwill.give_back, session_id, paise, "")
    desk.do(goodwill.give_back, session_id, 7_200, "All of it")
    assert (desk.free(asha), desk.session(session_id).cost_paise) == (1_000, 0)
    with pytest.raises(NotGivenBack, match="already"):
        desk.do(goodwill.give_back, session_id, 1, "")


def test_what_is_owed_is_paid_first(desk: Desk) -> None:
    asha, session_id = charged(desk, rupees=50)
    assert desk.money(asha).arrears_paise == 2_200
    desk.do(goodwill.give_back, session_id, 3_000, "Sorry")
    assert desk.money(asha) == wallet.Balance(800, 0, 0)


def test_a_charge_without_a_bill_gives_nothing_back(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    with pytest.raises(NotGivenBack, match="no bill"):
        desk.do(goodwill.give_back, session_id, 1, "")
    desk.stop(session_id, METER)
    with pytest.raises(NotGivenBack, match="no bill"):
        desk.do(goodwill.give_back, session_id, 1, "")


def test_what_comes_after_it_leaves_it_given(desk: Desk) -> None:
    """A late stop corrects the estimate, and idling after the stop is debited: neither takes the goodwill back."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha, 4)
    desk.do(goodwill.give_back, session_id, 2_000, "No stop came")
    desk.passes(minutes=1)
    desk.stop(session_id, METER + 3_000)
    assert (desk.session(session_id).cost_paise, desk.free(asha)) == (3_400, 966)
    totals = select(Receipt.kind, Receipt.total_paise).order_by(Receipt.number)
    assert desk.do(lambda db: [tuple(row) for row in db.exec(totals)]) == [("CN", 2_000), ("CN", 1_800), ("EV", 7_200)]


def test_a_correction_below_what_was_given_back_costs_nothing(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha, 4)
    desk.do(goodwill.give_back, session_id, 5_000, "No stop came")
    desk.stop(session_id, METER + 1_000)
    assert (desk.session(session_id).cost_paise, desk.free(asha)) == (0, 1_000)


@pytest.mark.parametrize("left", [True, False])
def test_what_somebody_gets_who_has_left_is_told(desk: Desk, left: bool) -> None:
    """As R34; a late stop that gives back more is told beside it."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha, 4)
    if left:
        desk.do(accounts.block, asha)
    desk.do(goodwill.give_back, session_id, 2_000, "No stop came")
    told = ["₹20.00 came back to a driver who is blocked or has left; they may have to go back."]
    due = select(Finding.detail).where(Finding.kind == "refund-due", Finding.ref == desk.session(session_id).ref)
    assert desk.do(lambda db: db.exec(due).all()) == told * left
    desk.stop(session_id, METER + 3_000)
    both = [f"{told[0]} {told[0].replace('₹20', '₹18')}"]
    assert desk.do(lambda db: db.exec(due).all()) == both * left


def test_it_works_with_a_tariff_of_several_parts(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(1_800, 0, start_paise=500), effective_at=desk.clock.at)
    asha, session_id = charged(desk)
    desk.do(goodwill.give_back, session_id, 500, "The start")
    assert desk.free(asha) == 1_000 - 72
