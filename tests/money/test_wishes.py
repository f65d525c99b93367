"""A driver's wish to charge: what it holds, whom it tells, and why it is refused (payments.md C15, C28)."""

import pytest

from domain import accounts, limits, settings, starts, stops, tariffs, tokens, wishes
from domain.charging import Limit, Refused
from domain.events import ChargerChanged, SessionChanged, WalletChanged
from domain.models import SessionState
from domain.prices import Price
from tests.money import house
from tests.money.charges import Desk


def test_a_wish_holds_money_up_to_the_cap_and_waits_for_the_charger(desk: Desk) -> None:
    asha = desk.driver(rupees=3_000)
    desk.charger()
    session = desk.session(desk.request(asha))
    assert session.state == SessionState.REQUESTED
    assert session.due_at == desk.clock.at + stops.ANSWER
    assert len(session.tag) == 14
    assert session.tag.isalnum()
    assert session.tag == session.tag.upper()
    assert desk.money(asha).held_paise == settings.settings().session_cap_paise
    assert desk.free(asha) == 1_000


def test_a_wish_is_announced_to_whoever_watches(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.events.clear()
    session_id = desk.request(asha)
    assert {type(event) for event in desk.events} == {SessionChanged, ChargerChanged, WalletChanged}
    assert SessionChanged(session_id, "BLR-1", asha, "REQUESTED") in desk.events


def test_two_wishes_never_have_the_same_tag(desk: Desk) -> None:
    desk.charger(connectors=9)
    tags = {desk.session(desk.request(desk.driver(), connector=n)).tag for n in range(1, 10)}
    assert len(tags) == 9


@pytest.mark.row("C28")
def test_too_little_money_is_refused_and_the_least_is_enough(desk: Desk) -> None:
    """C28."""
    asha = desk.driver(rupees=49)
    desk.charger()
    code, sentence = desk.refusal(asha)
    assert code == "funds"
    assert sentence == "You need at least ₹50.00 available in your wallet to start. Add money first."
    desk.give(asha, 1)
    desk.request(asha)


@pytest.mark.row("C28")
def test_the_least_for_a_start_has_the_fee_for_it_in_it(desk: Desk) -> None:
    """C28, ADR 0007: 60 rupees for the start; with 55 it would end in seconds and leave arrears."""
    desk.do(tariffs.set_price, Price(1_800, 0, start_paise=6_000), effective_at=desk.clock.at)
    asha = desk.driver(rupees=109)
    desk.charger()
    assert desk.refusal(asha)[1] == "You need at least ₹110.00 available in your wallet to start. Add money first."
    desk.do(tokens.add, "CARD1", user_id=asha)
    assert desk.do(starts.authorize, "BLR-1", "CARD1") == "Blocked"
    begun = desk.walk_up("CARD1")
    assert (begun.status, desk.session(begun.session_id).stop_cause) == ("Blocked", "card-unfunded")
    desk.stop(begun.session_id, 0)
    desk.status("BLR-1", 1, "Available")
    desk.give(asha, 1)
    assert desk.do(starts.authorize, "BLR-1", "CARD1") == "Accepted"
    desk.passes(minutes=1)
    begun = desk.walk_up("CARD1")
    assert (begun.status, desk.session(begun.session_id).stop_cause) == ("Accepted", "")
    desk.stop(begun.session_id, 0)
    desk.status("BLR-1", 1, "Available")
    desk.request(asha)


@pytest.mark.row("C28")
def test_a_late_plug_needs_the_fee_for_the_start_too(desk: Desk) -> None:
    """C28, Q28."""
    desk.do(tariffs.set_price, Price(1_800, 0, start_paise=6_000), effective_at=desk.clock.at)
    asha = desk.driver(rupees=110)
    desk.charger()
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "silent")
    desk.give(asha, -1, key="less")
    assert desk.start(session_id).stop
    assert desk.session(session_id).stop_cause == starts.LATE


def test_a_limit_that_the_fee_for_the_start_reaches_is_refused(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(1_800, 0, start_paise=6_000), effective_at=desk.clock.at)
    asha = desk.driver()
    desk.charger()
    said = "The start alone costs ₹60.00 here. Choose a limit above that."
    assert desk.refusal(asha, paise=6_000) == ("fee", said)
    desk.request(asha, paise=6_001)
    with pytest.raises(Refused, match="alone costs"):
        desk.do(limits.change, asha, Limit(paise=3_000))


@pytest.mark.row("C28")
def test_arrears_are_refused_even_with_money(desk: Desk) -> None:
    """C28: a driver who owes pays that first."""
    asha = desk.driver()
    desk.charger()
    desk.do(house.owe, asha, 1_250)
    assert desk.refusal(asha) == (
        "arrears",
        "You owe ₹12.50 for an earlier charge. Add money first; it is taken from that.",
    )


def test_a_blocked_driver_is_refused(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.do(accounts.block, asha)
    assert desk.refusal(asha)[0] == "blocked"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("Charging", "busy"),
        ("SuspendedEV", "busy"),
        ("Reserved", "busy"),
        ("Unavailable", "off"),
        ("Faulted", "fault"),
        ("Unknown", "no contact"),
    ],
)
def test_a_connector_that_is_not_free_is_refused_with_its_reason(desk: Desk, status: str, code: str) -> None:
    asha = desk.driver()
    desk.charger()
    desk.status("BLR-1", 1, status)
    assert desk.refusal(asha) == (code, wishes.REFUSALS[code])


def test_a_charger_out_of_contact_is_refused(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.passes(minutes=11)
    assert desk.refusal(asha)[0] == "no contact"


@pytest.mark.parametrize(("charger_id", "connector"), [("BLR-2", 1), ("BLR-1", 2), ("BLR-1", 0), ("BLR-1", -1)])
def test_what_does_not_exist_is_refused(desk: Desk, charger_id: str, connector: int) -> None:
    asha = desk.driver()
    desk.charger()
    assert desk.refusal(asha, charger_id, connector)[0] == "unknown"


@pytest.mark.row("C15")
def test_one_charge_a_driver(desk: Desk) -> None:
    """C15: by our rule a second charge waits for the end of the first, whatever the second charger's state."""
    asha = desk.driver()
    desk.charger()
    desk.charger("BLR-2")
    desk.request(asha)
    assert desk.refusal(asha, "BLR-2") == ("charging", "You are already charging at BLR-1.")
    assert desk.refusal(asha, "BLR-1") == ("charging", "You are already charging at BLR-1.")


def test_one_charge_a_connector(desk: Desk) -> None:
    desk.charger(connectors=2)
    desk.request(desk.driver())
    ben = desk.driver()
    assert desk.refusal(ben)[0] == "busy"
    desk.request(ben, connector=2)


@pytest.mark.parametrize(
    "limit",
    [
        {"paise": 0},
        {"wh": -1},
        {"minutes": 0},
        {"paise": 10**9},
        {"wh": 2**63},
        {"minutes": 2**31},
    ],
)
def test_a_limit_that_is_none_is_refused(desk: Desk, limit: dict[str, int]) -> None:
    asha = desk.driver()
    desk.charger()
    (kind,) = limit
    assert desk.refusal(asha, **limit)[0] == f"most {kind}"
