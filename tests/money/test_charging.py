"""A charge from the wish to the last message, by the rows of payments.md 3.2 (C) and of ocpp.md (Q)."""

from datetime import UTC, datetime, timedelta

import pytest

from domain import accounts, charging, settings, tariffs, wallet
from domain.charging import ENDINGS, REFUSALS, Refused
from domain.events import ChargerChanged, SessionChanged, WalletChanged
from domain.models import ChargingSession, Hold, HoldState, SessionState, Transfer
from tests.money import house
from tests.money.charges import METER, Desk

STRICT = "ocpp_accept_unknown"
PRICE = 18
"""Rupees a kWh, the default tariff."""


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown cards may not charge, as in production."""
    monkeypatch.setattr(settings.settings(), STRICT, False)


def refusal(desk: Desk, *args: object, **limit: object) -> tuple[str, str]:
    """Code and sentence with which a start is refused; nothing is changed by it."""
    before = desk.everything()
    with pytest.raises(Refused) as refused:
        desk.request(*args, **limit)  # type: ignore[arg-type]
    assert desk.everything() == before
    return refused.value.code, str(refused.value)


# The wish


def test_a_wish_holds_money_up_to_the_cap_and_waits_for_the_charger(desk: Desk) -> None:
    asha = desk.driver(rupees=3_000)
    desk.charger()
    session = desk.session(desk.request(asha))
    assert session.state == SessionState.REQUESTED
    assert session.due_at == desk.clock.at + charging.ANSWER
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
    code, sentence = refusal(desk, asha)
    assert code == "funds"
    assert sentence == "You need at least ₹50.00 free in your wallet to start. Add money first."
    desk.give(asha, 1)
    desk.request(asha)


@pytest.mark.row("C28")
def test_arrears_are_refused_even_with_money(desk: Desk) -> None:
    """C28: a driver who owes pays that first."""
    asha = desk.driver()
    desk.charger()
    desk.do(house.owe, asha, 1_250)
    assert refusal(desk, asha) == (
        "arrears",
        "You owe ₹12.50 for an earlier charge. Add money first; it is taken from that.",
    )


def test_a_blocked_driver_is_refused(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.do(accounts.block, asha)
    assert refusal(desk, asha)[0] == "blocked"


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
    assert refusal(desk, asha) == (code, REFUSALS[code])


def test_a_charger_out_of_contact_is_refused(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.passes(minutes=11)
    assert refusal(desk, asha)[0] == "no contact"


@pytest.mark.parametrize(("charger_id", "connector"), [("BLR-2", 1), ("BLR-1", 2), ("BLR-1", 0), ("BLR-1", -1)])
def test_what_does_not_exist_is_refused(desk: Desk, charger_id: str, connector: int) -> None:
    asha = desk.driver()
    desk.charger()
    assert refusal(desk, asha, charger_id, connector)[0] == "unknown"


@pytest.mark.row("C15")
def test_one_charge_a_driver(desk: Desk) -> None:
    """C15: by our rule a second charge waits for the end of the first, whatever the second charger's state."""
    asha = desk.driver()
    desk.charger()
    desk.charger("BLR-2")
    desk.request(asha)
    assert refusal(desk, asha, "BLR-2") == ("charging", "You are already charging at BLR-1.")
    assert refusal(desk, asha, "BLR-1") == ("charging", "You are already charging at BLR-1.")


def test_one_charge_a_connector(desk: Desk) -> None:
    desk.charger(connectors=2)
    desk.request(desk.driver())
    ben = desk.driver()
    assert refusal(desk, ben)[0] == "busy"
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
    assert refusal(desk, asha, **limit)[0] == "limit"


# The answer


@pytest.mark.row("C27")
@pytest.mark.parametrize("verdict", ["refused", "silent", "offline"])
def test_a_start_that_came_to_nothing_gives_the_money_back_at_once(desk: Desk, verdict: str) -> None:
    """C27."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.answered, session_id, verdict)
    session = desk.session(session_id)
    assert session.state == SessionState.CANCELLED
    assert session.due_at is None
    assert charging.explain(session) == ENDINGS[verdict]
    assert desk.money(asha) == wallet.Balance(100_000, 0, 0)
    desk.changes_nothing(desk.do, charging.answered, session_id, verdict)
    desk.changes_nothing(desk.do, charging.answered, session_id, "accepted")


@pytest.mark.row("C26")
def test_nobody_plugged_in(desk: Desk) -> None:
    """C26, Q28."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.answered, session_id, "accepted")
    session = desk.session(session_id)
    assert session.state == SessionState.AWAITING_PLUG
    assert session.due_at == desk.clock.at + timedelta(seconds=105)
    desk.passes(seconds=104)
    assert desk.sweep() == {}
    desk.passes(seconds=1)
    assert desk.sweep() == {session_id: ""}
    assert charging.explain(desk.session(session_id)) == ENDINGS["unplugged"]
    assert desk.free(asha) == 1_000
    desk.changes_nothing(desk.do, charging.deadline, session_id, desk.clock.at)


@pytest.mark.row("C40")
def test_a_crash_between_the_hold_and_the_question(desk: Desk) -> None:
    """C40: nobody ever says what the charger answered; the deadline in the database does."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.passes(seconds=36)
    assert desk.sweep() == {session_id: ""}
    assert charging.explain(desk.session(session_id)) == ENDINGS["silent"]
    assert desk.free(asha) == 1_000


def test_a_start_that_comes_before_the_answer_is_not_undone_by_it(desk: Desk) -> None:
    """Q26."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.start(session_id)
    for verdict in ("accepted", "refused", "silent"):
        desk.changes_nothing(desk.do, charging.answered, session_id, verdict)
    assert desk.state(session_id) == SessionState.CHARGING


def test_the_driver_changes_his_mind_before_it_begins(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    for accepted in (False, True):
        session_id = desk.request(asha)
        if accepted:
            desk.do(charging.answered, session_id, "accepted")
        desk.do(charging.request_stop, session_id, "driver")
        assert charging.explain(desk.session(session_id)) == ENDINGS["driver"]
        assert desk.free(asha) == 1_000
        desk.changes_nothing(desk.do, charging.request_stop, session_id, "driver")


def test_every_way_a_start_comes_to_nothing_has_a_sentence() -> None:
    causes = ("refused", "silent", "offline", "unplugged", "driver", "taken", "operator")
    assert all("Nothing was charged." in charging.explain(ChargingSession(stop_cause=cause)) for cause in causes)


# A charge


@pytest.mark.row("C1")
def test_a_normal_charge(desk: Desk) -> None:
    """C1."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.begun(asha, 10)
    desk.stop(session_id, METER + 10_005)
    assert desk.bill(session_id) == (10_005, 18_009)
    assert desk.money(asha) == wallet.Balance(100_000 - 18_009, 0, 0)
    session = desk.session(session_id)
    assert session.receipt_number.endswith("/0000001")
    assert session.due_at is None
    assert not session.estimated
    assert not session.review
    assert desk.do(lambda db: db.get_one(Hold, session_id)).state == HoldState.SETTLED
    assert desk.findings() == {}


@pytest.mark.row("C2", "C6")
def test_a_stop_that_is_repeated_is_one_debit(desk: Desk) -> None:
    """C2, C6, Q20."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.begun(asha)
    stopped_at = desk.clock.at
    desk.stop(session_id, METER + 2_000, at=stopped_at)
    for _ in range(3):
        desk.passes(minutes=5)
        desk.changes_nothing(desk.stop, session_id, METER + 2_000, at=stopped_at)
    assert desk.free(asha) == 1_000 - 2 * PRICE
    assert desk.findings() == {}


@pytest.mark.row("C3")
@pytest.mark.parametrize("first", [METER + 2_000, None])
def test_a_second_stop_that_says_something_else_changes_nothing_but_is_kept(desk: Desk, first: int | None) -> None:
    """C3: also when the first one had no figure to say."""
    desk.charger()
    session_id = desk.begun(desk.driver())
    desk.stop(session_id, first)
    desk.changes_nothing(desk.stop, session_id, METER + 9_000)
    desk.changes_nothing(desk.stop, session_id, METER + 9_000)
    assert desk.findings()["conflict"] == 1


@pytest.mark.row("C8")
@pytest.mark.parametrize(
    "reason",
    [
        "EmergencyStop",
        "PowerLoss",
        "Reboot",
        "EVDisconnected",
        "DeAuthorized",
        "HardReset",
        "UnlockCommand",
        "",
        "x" * 50,
    ],
)
def test_every_reason_settles_by_the_meter(desk: Desk, reason: str) -> None:
    """C8, Q24: no reason means Local."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.begun(asha, 1)
    desk.stop(session_id, METER + 1_000, reason=reason)
    assert desk.bill(session_id) == (1_000, 1_800)
    assert desk.session(session_id).stop_reason == (reason or "Local")[:20]


@pytest.mark.row("C21")
def test_the_price_is_that_of_the_wish(desk: Desk) -> None:
    """C21."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger(connectors=2)
    session_id = desk.charging(asha)
    desk.do(tariffs.set_price, 9_900)
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000)
    assert desk.bill(session_id) == (1_000, 1_800)
    later = desk.charging(ben, connector=2)
    desk.flows(later, 1)
    desk.stop(later, METER + 1_000)
    assert desk.bill(later) == (1_000, 9_900)


@pytest.mark.row("C14")
def test_two_drivers_at_two_connectors_of_one_charger(desk: Desk) -> None:
    """C14."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger(connectors=2)
    first, second = desk.charging(asha), desk.charging(ben, connector=2)
    for _ in range(3):
        desk.flows(first, 1)
        desk.flows(second, 2)
    desk.stop(second, METER + 6_000)
    desk.stop(first, METER + 3_000)
    assert desk.free(asha) == 1_000 - 3 * PRICE
    assert desk.free(ben) == 1_000 - 6 * PRICE


@pytest.mark.row("C29")
def test_nothing_delivered_costs_nothing_and_has_no_receipt(desk: Desk) -> None:
    """C29."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.charging(asha)
    desk.passes(minutes=3)
    desk.stop(session_id, METER)
    session = desk.session(session_id)
    assert session.state == SessionState.SETTLED
    assert session.settled_at == desk.clock.at
    assert session.receipt_number == ""
    assert desk.money(asha) == wallet.Balance(100_000, 0, 0)
    assert desk.do(lambda db: house.rows(db, Transfer)) == 1, "the money to begin with, and no other"
    desk.changes_nothing(desk.stop, session_id, METER)


@pytest.mark.row("C25")
def test_the_driver_stops_but_only_the_charger_ends_the_bill(desk: Desk) -> None:
    """C25."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.begun(asha, 1)
    desk.do(charging.request_stop, session_id, "driver")
    session = desk.session(session_id)
    assert (session.state, session.stop_cause) == (SessionState.STOPPING, "driver")
    desk.changes_nothing(desk.do, charging.request_stop, session_id, "operator")
    desk.do(charging.stop_asked, session_id, True)
    desk.flows(session_id, 3)
    assert desk.state(session_id) == SessionState.STOPPING
    assert desk.money(asha).held_paise == 100_000, "all of it, until the charger has said its last word"
    desk.stop(session_id, METER + 4_000, reason="Remote")
    assert desk.bill(session_id) == (4_000, 7_200)


@pytest.mark.row("C31")
def test_a_driver_who_is_blocked_meanwhile_charges_on_and_pays(desk: Desk) -> None:
    """C31."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.begun(asha, 1)
    desk.do(accounts.block, asha)
    assert desk.flows(session_id, 1) == []
    assert desk.state(session_id) == SessionState.CHARGING
    desk.stop(session_id, METER + 2_000)
    assert desk.bill(session_id) == (2_000, 3_600)


@pytest.mark.row("C32")
def test_a_strangers_stop_is_billed_to_whoever_started(desk: Desk) -> None:
    """C32, Q24."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.begun(asha, 1)
    desk.stop(session_id, METER + 1_000, tag="CARD-OF-A-STRANGER")
    assert desk.free(asha) == 1_000 - PRICE


# Starts that are told again, late, or by nobody we know


@pytest.mark.row("C33")
def test_a_start_that_is_repeated_is_one_session(desk: Desk) -> None:
    """C33, Q19."""
    desk.charger()
    session_id = desk.request(desk.driver())
    begun_at = desk.clock.at
    first = desk.start(session_id, at=begun_at)
    for _ in range(2):
        desk.passes(minutes=30)
        before = desk.everything()
        assert desk.start(session_id, at=begun_at) == first
        assert desk.everything() == before


def test_a_start_that_is_repeated_after_the_stop_says_the_same(desk: Desk) -> None:
    """Q19."""
    desk.charger()
    session_id = desk.request(desk.driver())
    begun_at = desk.clock.at
    first = desk.start(session_id, at=begun_at)
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000)
    before = desk.everything()
    again = desk.start(session_id, at=begun_at)
    assert (again.transaction_id, again.status, again.stop) == (first.transaction_id, first.status, False)
    assert desk.everything() == before


def test_a_start_that_is_repeated_after_the_driver_stopped_says_the_same(desk: Desk) -> None:
    """Q19: and says that it must be stopped."""
    desk.charger()
    session_id = desk.request(desk.driver())
    begun_at = desk.clock.at
    first = desk.start(session_id, at=begun_at)
    desk.do(charging.request_stop, session_id, "driver")
    again = desk.start(session_id, at=begun_at)
    assert (again.transaction_id, again.status, again.stop) == (first.transaction_id, "Accepted", True)


def test_a_start_that_is_repeated_with_a_broken_clock_while_it_runs(desk: Desk) -> None:
    """Q19: our tags are used once, so it is the same charge however long the answer was on its way."""
    desk.charger()
    session_id = desk.request(desk.driver())
    first = desk.start(session_id, at=desk.clock.at)
    desk.passes(hours=2)
    again = desk.start(session_id, at=desk.clock.at)
    assert again.transaction_id == first.transaction_id
    assert desk.state(session_id) == SessionState.CHARGING


def test_a_broken_clock_repeats_a_card_only_for_a_while(desk: Desk) -> None:
    """Q19: two charges with the same card and a meter that begins at zero are never made one."""
    desk.charger()
    first = desk.walk_up()
    desk.passes(minutes=14)
    assert desk.walk_up() == first
    desk.passes(minutes=2)
    assert desk.walk_up() != first


@pytest.mark.parametrize("echo", [str.lower, lambda tag: f"{tag}00", lambda tag: f"{tag.lower()}      "])
def test_our_tag_in_other_spellings(desk: Desk, echo: object) -> None:
    """Q25: any case, and characters behind it."""
    desk.charger()
    session_id = desk.request(desk.driver())
    tag = echo(desk.session(session_id).tag)  # type: ignore[operator]
    assert desk.do(charging.authorize, "BLR-1", tag) == "Accepted"
    assert desk.start(session_id, tag=tag).session_id == session_id
    assert desk.start(session_id, tag=tag).session_id == session_id
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000, transaction_id=0, tag=tag)
    assert desk.bill(session_id) == (1_000, 1_800)


@pytest.mark.row("C26")
def test_a_plug_after_we_gave_up_charges_if_money_allows(desk: Desk) -> None:
    """C26, Q28."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.answered, session_id, "silent")
    desk.passes(minutes=3)
    begun = desk.start(session_id)
    assert (begun.session_id, begun.status, begun.stop) == (session_id, "Accepted", False)
    assert desk.money(asha).held_paise == 100_000
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000)
    assert desk.bill(session_id) == (1_000, 1_800)


def _spend(desk: Desk, asha: int) -> None:
    desk.do(wallet.adjust, asha, -96_000, key="spent", reason="for a test")


def _owe(desk: Desk, asha: int) -> None:
    desk.do(house.owe, asha, 100)


def _block(desk: Desk, asha: int) -> None:
    desk.do(accounts.block, asha)


@pytest.mark.parametrize("meanwhile", [_spend, _owe, _block])
def test_a_plug_after_we_gave_up_is_ended_if_a_start_would_be_refused(desk: Desk, meanwhile: object) -> None:
    """Q28: what it delivers until it stops is paid from what there is."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.answered, session_id, "silent")
    meanwhile(desk, asha)  # type: ignore[operator]
    begun = desk.start(session_id)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.start(session_id, at=desk.session(session_id).started_at) == begun
    assert desk.state(session_id) == SessionState.STOPPING
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000, reason="DeAuthorized")
    assert desk.bill(session_id) == (1_000, 1_800)


def test_a_plug_after_the_driver_cancelled_is_ended(desk: Desk) -> None:
    """Q28: also when the cable is still in."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.request_stop, session_id, "driver")
    begun = desk.start(session_id)
    assert (begun.session_id, begun.status, begun.stop) == (session_id, "Invalid", True)
    desk.stop(session_id, METER)
    assert desk.bill(session_id) == (0, 0)
    assert desk.free(asha) == 1_000


def test_a_plug_after_the_driver_went_elsewhere_is_ended_and_costs_him_nothing(desk: Desk) -> None:
    """Q28: one charge a driver; his tag does not make it a free one either."""
    asha = desk.driver()
    desk.charger()
    desk.charger("BLR-2")
    first = desk.request(asha)
    desk.do(charging.answered, first, "silent")
    second = desk.charging(asha, "BLR-2")
    begun = desk.start(first)
    assert begun.session_id not in (first, second)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(first) == SessionState.CANCELLED
    assert desk.state(second) == SessionState.CHARGING


def test_a_tag_of_ours_is_good_for_one_charge(desk: Desk) -> None:
    """Q25, Q32: used again it is nobody's, even where unknown cards may charge."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.begun(asha, 1)
    desk.stop(session_id, METER + 1_000)
    assert desk.do(charging.authorize, "BLR-1", desk.session(session_id).tag) == "Invalid"
    again = desk.start(session_id, METER + 1_000)
    assert again.session_id != session_id
    assert (again.status, again.stop) == ("Invalid", True)
    assert desk.session(again.session_id).user_id is None


def test_a_tag_of_ours_on_another_charger_is_nobodys(desk: Desk, strict: None) -> None:
    desk.charger()
    desk.charger("BLR-2")
    session_id = desk.request(desk.driver())
    begun = desk.start(session_id, charger_id="BLR-2")
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(session_id) == SessionState.REQUESTED


def test_a_card_of_the_chargers_own_is_a_walk_up(desk: Desk) -> None:
    """Q32: where unknown cards may charge; the connector is taken, nobody's wallet is."""
    asha = desk.driver()
    desk.charger()
    begun = desk.walk_up("a-card", 5)
    assert (begun.status, begun.stop) == ("Accepted", False)
    assert refusal(desk, asha)[0] == "busy"
    assert desk.flows(begun.session_id, 100) == []
    desk.stop(begun.session_id, 100_005, tag="A-CARD")
    session = desk.session(begun.session_id)
    assert (session.user_id, session.state, session.energy_wh) == (None, SessionState.SETTLED, 100_000)
    assert session.receipt_number == ""


def test_unknown_cards_are_refused_where_they_must_be(desk: Desk, strict: None) -> None:
    """Q32: the answer carries a transaction id all the same, and the charge is stopped."""
    desk.charger()
    assert desk.do(charging.authorize, "BLR-1", "CARD") == "Invalid"
    begun = desk.walk_up("CARD", 5)
    assert begun.transaction_id > 0
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(begun.session_id) == SessionState.STOPPING


def test_the_tag_of_an_interrupted_charge_may_go_on(desk: Desk) -> None:
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    desk.lose(session_id)
    assert desk.do(charging.authorize, "BLR-1", desk.session(session_id).tag) == "Accepted"


def test_a_start_on_the_other_connector_follows_the_cable(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger(connectors=2)
    session_id = desk.request(asha, connector=1)
    begun = desk.start(session_id, connector_number=2)
    assert (begun.session_id, begun.status) == (session_id, "Accepted")
    assert desk.session(session_id).connector_number == 2
    desk.request(desk.driver(), connector=1)


def test_a_start_on_a_connector_nobody_reported(desk: Desk) -> None:
    desk.charger()
    session_id = desk.request(desk.driver())
    assert desk.start(session_id, connector_number=3).session_id == session_id
    assert desk.session(session_id).connector_number == 3


def test_somebody_elses_start_takes_the_connector_and_gives_the_money_back(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    walk_up = desk.start(session_id, tag="CARD")
    assert walk_up.session_id != session_id
    assert charging.explain(desk.session(session_id)) == ENDINGS["taken"]
    assert desk.free(asha) == 1_000


def test_a_start_on_a_connector_where_a_charge_runs_means_its_stop_was_lost(desk: Desk) -> None:
    """Q23."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.begun(asha)
    desk.start(session_id, METER + 2_000, tag="CARD")
    session = desk.session(session_id)
    assert (session.state, session.cost_paise, session.estimated) == (SessionState.INTERRUPTED, 3_600, True)
    assert desk.money(asha).held_paise == 3_600


# Messages that were on their way for hours


@pytest.mark.row("C9")
def test_a_charge_told_hours_later(desk: Desk) -> None:
    """C9, Q27: the times are the charger's, the price is that of the wish, the ledger's time is now."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.answered, session_id, "accepted")
    began = desk.passes(seconds=30)
    ended = desk.passes(minutes=20)
    desk.sweep()
    assert desk.state(session_id) == SessionState.CANCELLED
    desk.do(tariffs.set_price, 9_900)
    desk.passes(hours=5)
    assert desk.start(session_id, at=began).status == "Accepted"
    desk.stop(session_id, METER + 15_000, at=ended)
    assert desk.bill(session_id) == (15_000, 27_000)
    session = desk.session(session_id)
    assert (session.started_at, session.stopped_at, session.settled_at) == (began, ended, desk.clock.at)
    assert not session.review
    transfer = desk.do(lambda db: db.get_one(Transfer, 2))
    assert (transfer.event_at, transfer.created_at) == (ended, desk.clock.at)


@pytest.mark.row("C10")
def test_a_charge_told_hours_later_by_a_charger_without_a_clock(desk: Desk) -> None:
    """C10: our own time of the wish bounds what it can have delivered."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.answered, session_id, "accepted")
    desk.passes(hours=2)
    desk.sweep()
    desk.start(session_id, at=desk.clock.at)
    desk.stop(session_id, METER + 15_000, at=desk.clock.at)
    assert desk.bill(session_id) == (15_000, 27_000)


@pytest.mark.row("C10")
def test_a_stop_before_its_start_is_taken_as_now(desk: Desk) -> None:
    """C10."""
    desk.charger()
    session_id = desk.begun(desk.driver())
    desk.stop(session_id, METER + 2_000, at=datetime(1970, 1, 1, tzinfo=UTC))
    session = desk.session(session_id)
    assert session.stopped_at == desk.clock.at
    assert desk.bill(session_id) == (2_000, 3_600)


# Stops of nobody


@pytest.mark.row("C11")
@pytest.mark.parametrize("transaction_id", [4_711, 2**31 - 1])
def test_a_stop_of_an_unknown_transaction_is_kept_for_the_operator(desk: Desk, transaction_id: int) -> None:
    """C11, Q21."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    for _ in range(2):
        desk.changes_nothing(desk.stop, session_id, METER + 1_000, transaction_id=transaction_id)
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.row("C12")
def test_a_stop_with_another_chargers_transaction_does_not_touch_it(desk: Desk) -> None:
    """C12."""
    desk.charger()
    desk.charger("BLR-2")
    session_id = desk.charging(desk.driver())
    desk.changes_nothing(desk.stop, session_id, METER + 1_000, charger_id="BLR-2")
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.row("C13")
@pytest.mark.parametrize("transaction_id", [-1, 0, 2**31])
@pytest.mark.parametrize("with_tag", [True, False])
def test_a_stop_of_a_charger_that_ignores_our_numbers(desk: Desk, transaction_id: int, with_tag: bool) -> None:
    """C13, Q21: it is the only charge there that fits; a repetition is one, too."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.begun(asha, 1)
    told = {"transaction_id": transaction_id, "tag": desk.session(session_id).tag if with_tag else ""}
    desk.stop(session_id, METER + 1_000, **told)
    assert desk.bill(session_id) == (1_000, 1_800)
    desk.changes_nothing(desk.stop, session_id, METER + 1_000, **told)
    assert desk.findings() == {}


def test_a_stop_with_a_number_of_the_chargers_own_and_our_tag(desk: Desk) -> None:
    """Q21, Q22."""
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    desk.stop(session_id, METER + 1_000, transaction_id=987_654, tag=desk.session(session_id).tag)
    assert desk.bill(session_id) == (1_000, 1_800)


@pytest.mark.row("C13")
def test_a_stop_without_a_number_ends_the_charge_whose_meter_it_can_be(desk: Desk) -> None:
    """C13: two charges, and only one whose register is not past the stop's."""
    desk.charger(connectors=2)
    first = desk.charging(desk.driver())
    second = desk.charging(desk.driver(), connector=2)
    desk.flows(first, 5)
    desk.stop(second, METER + 3_000, transaction_id=-1)
    assert desk.state(first) == SessionState.CHARGING
    assert desk.session(second).meter_stop_wh == METER + 3_000


@pytest.mark.row("C13")
def test_a_stop_without_a_number_that_fits_two_charges_ends_none(desk: Desk) -> None:
    """C13."""
    desk.charger(connectors=2)
    first = desk.charging(desk.driver())
    second = desk.charging(desk.driver(), connector=2)
    desk.changes_nothing(desk.stop, second, METER + 3_000, transaction_id=-1)
    assert desk.findings() == {"orphan-stop": 1}
    assert desk.state(first) == desk.state(second) == SessionState.CHARGING


@pytest.mark.row("C12", "C13")
def test_a_stop_without_a_number_and_with_a_strangers_tag_ends_none(desk: Desk) -> None:
    """C13, C12."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.changes_nothing(desk.stop, session_id, METER + 3_000, transaction_id=-1, tag="CARD")
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.row("C30")
def test_deleting_an_account_waits_for_the_charge(desk: Desk) -> None:
    """C30: and for one whose stop was lost, too."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.charging(asha)
    assert desk.do(accounts.charging, asha)
    desk.flows(session_id, 1)
    desk.lose(session_id)
    assert desk.do(accounts.charging, asha)
    desk.stop(session_id, METER + 1_000)
    assert not desk.do(accounts.charging, asha)
