"""The shell's commands for people: who may open the operators' pages, and that a list says when it is not whole."""

from sqlmodel import Session

from domain import accounts, operators, trail
from domain.db import Database
from tests.money import house
from tests.unit.domain.test_shell import database, here, run

__all__ = ["database", "here", "run"]


def test_whoever_may_open_the_operators_pages_is_named(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    _, ravi = (database.now(house.driver, name)[0] for name in ("asha", "ravi"))
    assert len(run("user operators").out.splitlines()) == 1
    database.now(operators.appoint, ravi, trail.shell())
    database.now(accounts.block, ravi)
    said = run("user operators").out
    assert ("ravi" in said, "blocked" in said, "asha" in said) == (True, True, False)


def test_more_people_than_are_shown_are_told_of(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    def crowd(db: Session, count: int) -> None:
        for number in range(count):
            house.driver(db, f"ashab_{number}")

    database.now(crowd, accounts.FOUND)
    assert len(run("user find ashab").out.splitlines()) == accounts.FOUND + 1
    database.now(house.driver, "ashabb")
    *_, told = run("user find ashab").out.splitlines()
    assert told == "There are more than these 50: say more of whom you mean."
