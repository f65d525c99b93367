"""The documents say what is so: every setting is on its page, and no link leads nowhere."""

import re
import subprocess
from pathlib import Path

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
