"""What somebody must look at, without browsers: put away once, with a note, a name and a fresh PIN."""

import re
from datetime import timedelta
from pathlib import Path

from domain import findings, operators, trail
from domain.db import read, transact
from domain.models import now
from evapp.state.ops_findings import OpsFindings
from evapp.texts.findings import advice, title
from tests.unit.evapp.state.test_ops import PageOf, lines, open_changes, page, people, said, scope

__all__ = ["page", "people", "scope"]


async def test_a_finding_is_resolved_with_a_note_and_a_name(page: PageOf, people: dict[str, int]) -> None:
    await transact(findings.note, "boot-loop", "A-1", "5 boots")
    state = await page(OpsFindings)
    await state._refresh(0)
    [row] = state.rows
    assert (row.title, row.link) == ("A charger boots again and again", "/ops/c/A-1")
    await state.open(row.number)
    await state.resolve({"note": " "})
    assert state.error == "Say what came of it; it is kept with your name."
    await state.resolve({"note": "The fuse was loose."})
    assert (state.rows, await said(state)) == ([], "Resolved.")
    await state.choose("resolved")
    [row] = state.rows
    assert row.resolution == "The fuse was loose."
    assert row.resolved.startswith("ravi, ")
    await state.open(row.number)
    await state.resolve({"note": "Again"})
    assert await said(state) == "Somebody was faster; the first note stands."


async def test_a_finding_is_not_resolved_without_a_fresh_pin(page: PageOf, people: dict[str, int]) -> None:
    await transact(findings.note, "audit", "entries", "They do not add up.")
    state = await page(OpsFindings)
    await state._refresh(0)
    await state.open(state.rows[0].number)
    await transact(open_changes, now() - operators.STEP_UP - timedelta(seconds=1))
    await state.resolve({"note": "Nothing to see"})
    assert (state.error, state.resolving) == ("Enter your PIN again. Nothing was done.", state.rows[0].number)
    assert ([one.ref for one in await read(findings.unresolved)], await lines()) == (["entries"], [])
    await transact(open_changes)
    await state.resolve({"note": "An old test of ours"})
    assert (state.error, await lines()) == ("", [("findings resolve", "finding:1")])


def test_every_kind_that_the_document_explains_has_a_title_and_says_what_to_do() -> None:
    table = (Path(__file__).parents[4] / "docs/operate.md").read_text(encoding="utf-8")
    told = table[table.index("| finding | ") :]
    kinds = re.findall(r"^\| (`[^|]*`) \|", told[: told.index("\n\n")], re.M)
    named = [kind for row in kinds for kind in re.findall(r"`([a-z-]+)`", row)]
    untold = [kind for kind in named if title(kind) == kind or not advice(kind)]
    assert len(kinds) > 20
    assert untold == []


async def test_what_came_since_the_page_was_read_is_not_resolved_with_it(page: PageOf, people: dict[str, int]) -> None:
    """A page stays open for minutes; what it does not show would have been looked at by nobody."""
    await transact(findings.renew, "refund-due", "S1", "₹500 came back to somebody who has left.")
    state = await page(OpsFindings)
    await state._refresh(0)
    await state.open(state.rows[0].number)
    await transact(findings.renew, "refund-due", "S1", "₹500 and ₹700 came back to somebody who has left.")
    await state.resolve({"note": "₹500 paid back."})
    assert state.error == "It says something else by now. Read it again, then resolve it."
    [row] = state.rows
    assert (row.detail, state.resolving) == ("₹500 and ₹700 came back to somebody who has left.", row.number)
    assert await lines() == []
    await state.resolve({"note": "₹1,200 paid back."})
    assert state.rows == []


async def test_a_finding_is_taken_taken_over_and_left_to_the_next_shift(page: PageOf, people: dict[str, int]) -> None:
    """Two at the desk do not do the same; and it moves nothing, so that no PIN is asked."""
    ravi = people["ravi"]
    await transact(findings.note, "mute", "A-1", "10 min")
    await transact(open_changes, now() - operators.STEP_UP - timedelta(seconds=1))
    state = await page(OpsFindings)
    await state._refresh(ravi)
    [row] = state.rows
    assert (row.taken, row.mine) == ("", False)
    await transact(findings.take, row.number, trail.user(people["asha"]), seen=None)
    await state.take(row.number)
    [row] = state.rows
    assert state.error == "Somebody else was faster. Look who is at it now."
    assert row.taken.startswith("asha is at it, since ")
    await state.take(row.number)
    [row] = state.rows
    assert (state.error, row.mine, row.taken[:15]) == ("", True, "ravi is at it, ")
    await state.choose("free")
    assert state.rows == []
    await state.choose("mine")
    await state.let_go(state.rows[0].number)
    assert state.rows == []
    await state.choose("open")
    assert [row.taken for row in state.rows] == [""]
    assert (await lines())[0] == ("findings let-go", "finding:1")


async def test_findings_of_one_kind_are_shown_with_how_many_wait(page: PageOf, people: dict[str, int]) -> None:
    for kind, ref in (("mute", "A-1"), ("mute", "A-2"), ("review", "S1")):
        await transact(findings.note, kind, ref, "x")
    state = await page(OpsFindings)
    await state._refresh(0)
    assert [kind.words for kind in state.kinds] == ["A charger answers and tells nothing (2)", "A bill to look at (1)"]
    await state.choose_kind("review")
    [row] = state.rows
    assert (row.kind, row.todo) == ("review", "Look at the figures of the charge, and give back what was too much.")
    await state.choose_kind("audit")
    assert (state.rows, state.kinds[-1].words) == ([], "A rule of the ledger is broken")
    await state.choose_kind("")
    assert len(state.rows) == 3
