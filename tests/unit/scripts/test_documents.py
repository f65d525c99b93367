"""The documents say what is so: every setting is on its page, and no link leads nowhere."""

import ast
import re
import subprocess
from pathlib import Path

from domain import faults, findings
from domain.settings import Settings
from scripts.settings_page import PAGE, page
from simulator.phonepe_faults import KINDS

ROOT = Path(__file__).parents[3]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)")


def test_the_settings_page_is_the_settings() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/settings_page.py"


def test_the_sandboxs_page_has_its_doors_and_faults() -> None:
    page_ = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page_, re.MULTILINE)) == set(KINDS)
    faults = {fault.removesuffix("-after") for kinds in KINDS.values() for fault in kinds}
    assert {fault for fault in faults if f"`{fault}`" not in page_} == set()


def findings_of_the_code() -> set[str]:
    """Every kind that anything keeps or finds; those of `recheck` have a common beginning, some a name."""
    kinds = {faults.KIND, findings.REFUND_DUE}
    for room in ("domain", "csms", "evapp"):
        for module in (ROOT / room).rglob("*.py"):
            for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call):
                    said = [ast.unparse(call.func), *map(ast.unparse, call.args[:1])]
                    notes = {"findings.note", "findings.renew", "_find"}
                    place = 0 if said[0] == "Discrepancy" else 1 if {*said} & notes else 9
                    kinds |= {kind.value for kind in call.args[place : place + 1] if isinstance(kind, ast.Constant)}
    return kinds | {f"gateway-{what}" for what in ("state", "amount", "utr", "missing")}


def test_every_finding_has_its_line_for_the_operator_and_its_test() -> None:
    page_ = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    table = page_.split("| finding |")[1].split("\n\n")[0]
    explained = set(re.findall(r"`([a-z-]+)`", "\n".join(line.split("|")[1] for line in table.splitlines()[2:])))
    assert findings_of_the_code() == explained
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert {kind for kind in explained if f'"{kind}"' not in tests} == set()


def test_every_noun_of_the_domain_has_its_place_in_one_story() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = contributing.split("The nouns of `domain/`")[1].split("\n\n")[1]
    assert sorted(re.findall(r"`([a-z_]+)`", told)) == sorted(path.stem for path in (ROOT / "domain").glob("[a-z]*.py"))


def test_every_setting_says_what_it_does() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_no_link_leads_nowhere() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pages = [ROOT / name for name in listed.split()]
    assert ROOT / "README.md" in pages
    dead = [
        f"{document.name}: {target}"
        for document in pages
        for target in LINK.findall(document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert dead == []


PAGES = "\n".join(
    (ROOT / name).read_text(encoding="utf-8")
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "bench/README.md",
        *sorted(str(p) for p in (ROOT / "docs").glob("*.md")),
    )
)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_make_target_is_in_a_document_and_every_one_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)) - {"help"}
    spans = "\n".join(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGES, flags=re.DOTALL)))
    lines = set(re.findall(r"^make ([a-z-]+)", PAGES, re.MULTILINE))
    named = lines | set(re.findall(r"\bmake ([a-z-]+)", spans))
    assert targets - named == set()
    assert named - targets == set()


def test_every_program_in_a_document_exists() -> None:
    for name in set(re.findall(r"python -m ([a-z][\w.]*)", PAGES)) - {"reflex", "venv", "pip", "pytest"}:
        path = ROOT / name.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name


def test_every_address_is_in_the_table() -> None:
    """Those of the operators' API are in its own pages, and Reflex's pages are those of evapp/evapp.py."""
    from evapp.evapp import app, beside
    from evapp.texts.languages import LANGUAGES

    others = tuple(f"{one.prefix}/" for one in LANGUAGES.values() if one.prefix)
    table = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8").split("\n| address |")[1].split("\n\n")[0]
    written = set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))
    routes = {route.path for route in beside.routes if not f"{route.path}/".startswith((*others, "/api/"))}
    pages = {f"/{page.route}".replace("/index", "/") for page in app._unevaluated_pages.values()}
    own = {
        re.sub(r"\[(\w+)\]", r"{\1}", path)
        for path in pages
        if not path.startswith((*others, "/ops")) and path != "/404"
    }
    assert written == routes | own
