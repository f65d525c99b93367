"""The shell's commands for cards, and the health that `charger show` tells."""

from datetime import timedelta

from domain import chargers, health, tokens
from domain.db import Database
from domain.models import now
from tests.money import house
from tests.unit.domain.test_shell import Said, database, here, run, street  # noqa: F401 - fixtures


def test_a_card_from_its_first_day_to_its_last(run, database: Database) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    database.now(house.driver, "asha")
    assert run("token add 04a2b9 --user asha --group family").out == "04A2B9 may charge, and asha pays.\n"
    assert run("token add STAFF --concurrent").out == "STAFF may charge, and nobody pays.\n"
    assert run("token add OLD --until 2020-01-01").out == (
        "OLD may not charge: it expired on 2020-01-01 00:00:00, Indian time.\n"
    )
    lines = run("token list").out.splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["04A2B9", "Accepted", "asha", "FAMILY"],
        ["OLD", "Expired", "-", "2020-01-01"],
        ["STAFF", "Accepted", "-", "-"],
    ]
    assert run("token block 04a2b9").out == "04A2B9 is blocked. A charge that runs goes on.\n"
    assert "Blocked" in run("token list").out
    assert run("token unblock 04a2b9").out == "04A2B9 may charge again.\n"
    assert run("token link 04a2b9").out == "From now on nobody pays for what 04A2B9 charges.\n"
    assert run("token link 04a2b9 asha").out == "From now on asha pays for what 04A2B9 charges.\n"
    user_id = database.now(tokens.get, "04A2B9")[0].user_id
    assert user_id is not None


def test_cards_that_cannot_be_get_a_sentence(run, database: Database) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    for line in ("token block NONE", "token unblock NONE", "token link NONE"):
        said = run(line)
        assert (said.code, said.err) == (2, "There is no card NONE. `token list` shows them.\n")
    for line in ("token add A --user nobody", "token add ''", f"token add {'X' * 21}", "token add A --until soon"):
        assert run(line).code == 2, line
    assert database.now(tokens.everything)[0] == []


def test_a_card_that_may_not_charge_is_not_said_to(run, database: Database) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    database.now(house.driver, "asha")
    run("token add 04A2B9 --user asha --until 2020-01-01")
    expired = "04A2B9 may not charge: it expired on 2020-01-01 00:00:00, Indian time.\n"
    assert run("token unblock 04A2B9").out == expired
    run("token block 04A2B9")
    blocked = "04A2B9 may not charge: it is blocked, and `token unblock` would let it.\n"
    assert run("token add 04A2B9 --user asha").out == blocked
    assert run("token unblock 04A2B9").out == "04A2B9 may charge again.\n"
    run("user block asha")
    assert run("token add 04A2B9 --user asha").out == "04A2B9 may not charge: asha, who would pay, is blocked.\n"


def test_an_empty_variable_of_a_script_is_not_nobody(run, database: Database) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    database.now(house.driver, "asha")
    run("token add STAFF --user asha")
    for line in ("token add STAFF --user ''", "token link STAFF ''"):
        said = run(line)
        assert said.code == 2 and "at least 1 character" in said.err, line
    assert "asha" in run("token list").out


def test_the_health_of_a_charger_is_shown(run, database: Database) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    database.now(chargers.add, "BLR-017")
    seen = health.Noted(connects=3, unanswered=2, clock_skew_ms=600_000, boot_loop_at=now() - timedelta(hours=1))
    seen.last_protocol_error, seen.last_protocol_error_at, seen.protocol_errors = "closed with 1002", now(), 1
    for _ in range(2):
        database.now(health.add, {"BLR-017": seen, "NOBODY": seen}, now())
    shown = run("charger show BLR-017").out
    for words in ("6 times", "4 calls", "+600.0 s, not believed", "2, last closed with 1002", "boot loop of"):
        assert words in shown
