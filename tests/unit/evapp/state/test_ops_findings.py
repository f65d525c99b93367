"""What somebody must look at, without browsers: put away once, with a note, a name and a fresh PIN."""

import re
from datetime import timedelta
from pathlib import Path

from domain import findings, operators
from domain.db import read, transact
from domain.models import now
from evapp.state.ops_findings import OpsFindings, title
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


def test_every_kind_that_the_document_explains_has_a_title() -> None:
    table = (Path(__file__).parents[4] / "docs/operate.md").read_text(encoding="utf-8")
    told = table[table.index("| finding | ") :]
    kinds = re.findall(r"^\| (`[^|]*`) \|", told[: told.index("\n\n")], re.M)
    untold = [kind for row in kinds for kind in re.findall(r"`([a-z-]+)`", row) if title(kind) == kind]
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
