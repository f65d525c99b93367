"""Lighthouse's scores of the production build on a simulated phone, for the README: `make lighthouse`.

Lighthouse comes from npm into a folder of its own beside the repository, and looks at a Chromium that a driver with
₹600 is signed in with. Performance swings with the machine's load; the other three are exact.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright
from sqlmodel import Session

from domain import chargers, sign_ins, wallet
from domain.db import Database
from domain.models import User
from domain.sign_ins import Browser
from evapp.web.auth import COOKIE
from tests.e2e.browsers import QUIET
from tests.e2e.running import Product, free_port, running

VERSION = "12.8.2"
"""The one that ui.md's bars were measured with."""
FOLDER = Path(tempfile.gettempdir()) / f"evapp-lighthouse-{VERSION}"
"""Kept between runs: an installation takes a while."""

CHARGER = "LIGHT-1"
EVERYBODYS = ("/login", "/register", "/help")
A_DRIVERS = ("/dashboard", "/charge", f"/c/{CHARGER}", "/history", "/wallet", "/profile")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
EXACT = CATEGORIES[1:]
RUN_S = 120


def install() -> Path:
    """Lighthouse's command line; SystemExit with npm's own words where it cannot be had."""
    program = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.exists():
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / "package.json").write_text("{}")
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"lighthouse@{VERSION}"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"Lighthouse cannot be had: {done.stderr.strip()[-300:]}")
    return program


def signed_in(url: str) -> str:
    """A driver with ₹600 and a free charger; gives the token of a sign-in."""
    token = sign_ins.new_token()

    def prepare(db: Session) -> None:
        user = User(username="asha", phone="+919845012345", pin_hash="")
        db.add(user)
        db.flush()
        wallet.open_accounts(db, user.id)
        wallet.adjust(db, user.id, 60_000, key="lighthouse", reason="For Lighthouse")
        chargers.add(db, CHARGER, place="Test Street", connectors=1)
        sign_ins.start(db, user, Browser(sign_ins.hash_token(token), "Lighthouse", "127.0.0.1"))

    database = Database(url)
    try:
        database.now(prepare)
    finally:
        database.close()
    return token


async def score(program: Path, product: Product, port: int, path: str) -> dict[str, int]:
    """One page's scores, 0-100."""
    categories = ",".join(CATEGORIES)
    command = ("node", str(program), product.url + path, f"--port={port}", "--disable-storage-reset", "--quiet",
               "--output=json", f"--only-categories={categories}")  # fmt: skip
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=os.environ)
    try:
        told, errors = await asyncio.wait_for(process.communicate(), RUN_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise SystemExit(f"Lighthouse was not done with {path} in {RUN_S} s.") from None
    if process.returncode:
        raise SystemExit(f"Lighthouse failed on {path}: {errors.decode()[-500:]}")
    report = json.loads(told)
    if report["finalDisplayedUrl"] != product.url + path:
        raise SystemExit(f"{path} led to {report['finalDisplayedUrl']}: nothing was judged")
    for category in EXACT:
        for reference in report["categories"][category]["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 1:
                print(f"    {path}: {audit['title']}")
    return {name: round(report["categories"][name]["score"] * 100) for name in CATEGORIES}


async def main() -> int:
    program = install()
    with tempfile.TemporaryDirectory(prefix="evapp-lighthouse-") as folder:
        async with running(Path(folder)) as product, async_playwright() as playwright:
            token, port = signed_in(product.database), free_port()
            browser = await playwright.chromium.launch_persistent_context(
                f"{folder}/chromium",
                executable_path=shutil.which("chromium"),
                args=[*QUIET, f"--remote-debugging-port={port}"],
            )
            print(f"{'page':<14}" + "".join(f"{name:>16}" for name in CATEGORIES))
            good = True
            for path in (*EVERYBODYS, *A_DRIVERS):
                if path == A_DRIVERS[0]:
                    await browser.add_cookies([{"name": COOKIE, "value": token, "url": product.url}])
                scores = await score(program, product, port, path)
                good = good and all(scores[name] == 100 for name in EXACT)
                print(f"{path:<14}" + "".join(f"{scores[name]:>16}" for name in CATEGORIES), flush=True)
            await browser.close()
    return 0 if good else 1


if __name__ == "__main__":
    argparse.ArgumentParser(prog="make lighthouse", description=__doc__).parse_args()
    sys.exit(asyncio.run(main()))
