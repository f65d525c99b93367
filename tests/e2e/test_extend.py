"""docs/extend.md is followed to the letter on a copy of the repository, and its page opened in Chromium."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from sqlmodel import Session, select

from bench.ours import charge_everywhere
from domain import charging, sign_ins
from domain.db import Database
from domain.models import User, now
from evapp.components.money import month
from evapp.web.auth import COOKIE
from tests.e2e.running import ROOT, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEP = re.compile(r"^## .*?`([\w/.]+)`|`(tests/unit/[\w/.]+)`|^```(\w+)\n(.*?)^```", re.M | re.S)
TRANSLATION = re.compile(r'(msgid ".+"\n)msgstr (".+")')
CATALOGUE = "evapp/texts/hi/LC_MESSAGES/evapp.po"
GUARDS = (
    "tests/unit/domain/test_year.py",
    "tests/security/test_event_surface.py",
    "tests/unit/evapp/texts",
    "tests/unit/scripts/test_documents.py::test_every_address_is_in_the_table",
)


def follow(guide: str, copy: Path) -> None:
    """Do what the guide says: each Python block is the file named last, a diff is applied, a translation filled in."""
    named = ""
    for heading, test, kind, block in STEP.findall(guide):
        named = heading or test or named
        match kind:
            case "python" if (copy / named).exists():
                wire(copy / named, block.splitlines())
            case "python":
                (copy / named).write_text(block)
            case "diff":
                subprocess.run(["git", "apply", "-C1", "-"], cwd=copy, input=block, text=True, check=True)
            case "po":
                subprocess.run([sys.executable, "-m", "scripts.texts"], cwd=copy, check=False, capture_output=True)
                translate(copy / CATALOGUE, dict(TRANSLATION.findall(block)))


def wire(module: Path, lines: list[str]) -> None:
    """Imports to the imports, the rest to the end."""
    text = module.read_text()
    last = text.rindex("\nfrom evapp.") + 1
    imports = "".join(f"{line}\n" for line in lines if line.startswith("from "))
    rest = "".join(f"{line}\n" for line in lines if not line.startswith("from "))
    module.write_text(text[:last] + imports + text[last:] + rest)


def translate(catalogue: Path, words: dict[str, str]) -> None:
    text = catalogue.read_text()
    for key, value in words.items():
        assert f'{key}msgstr ""' in text
        text = text.replace(f'{key}msgstr ""', f"{key}msgstr {value}")
    catalogue.write_text(text)


async def test_the_guide_to_a_new_page_works_as_it_stands(tmp_path: Path, chromium: Browser) -> None:
    copy = tmp_path / "evapp"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "var", "__pycache__"), symlinks=True)
    follow((ROOT / "docs" / "extend.md").read_text(), copy)
    check(copy, "ruff", "check", "--select", "I", "--fix", "evapp/evapp.py")  # "beside the others", as a person has it
    check(copy, "ruff", "check", "evapp", "domain", "tests")
    check(copy, "ruff", "format", "--check", "evapp", "domain", "tests")
    check(copy, "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *GUARDS)

    (tmp_path / "var").mkdir()
    async with running(tmp_path / "var", copy) as product:
        cookie = charged(product.database)
        context = await chromium.new_context(viewport={"width": 390, "height": 844})
        await context.add_cookies([{"name": COOKIE, "value": cookie, "url": product.url}])
        page = await context.new_page()
        await page.goto(f"{product.url}/year")
        await expect(page.get_by_role("heading", name="My year")).to_be_visible()
        await expect(page.get_by_role("listitem").filter(has_text=month(now()))).to_contain_text("₹0.09")
        await page.goto(f"{product.url}/hi/year")
        await expect(page.get_by_role("heading", name="मेरा साल")).to_be_visible()
        await context.close()


def check(copy: Path, *module: str) -> None:
    """Run one of the checks on the copy, in an interpreter of its own."""
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run([sys.executable, "-m", *module], cwd=copy, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def charged(url: str) -> str:
    """A driver whose charge of 5 Wh is over and paid; gives the token of his sign-in."""
    token = sign_ins.new_token()

    def stop(db: Session, charger_id: str, transaction_id: int) -> None:
        told = {"meter_stop_wh": 5, "at": now(), "received_at": now(), "reason": "Local", "tag": ""}
        charging.stopped(db, charger_id=charger_id, transaction_id=transaction_id, **told)
        sign_ins.start(db, db.exec(select(User)).one(), sign_ins.Browser(sign_ins.hash_token(token), "", ""))

    [(charger_id, transaction_id)] = charge_everywhere(url, 1)
    with closing(Database(url)) as database:
        database.now(stop, charger_id, transaction_id)
    return token
