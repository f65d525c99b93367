"""See to it that there is a Chromium for the tests: Debian's where it can be had, else Playwright's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright


def playwright_has_one() -> bool:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def main() -> int:
    if shutil.which("chromium") or playwright_has_one():
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Debian's chromium for the tests.")
        subprocess.run(["apt-get", "update", "-q"], check=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        wanted = ["--no-install-recommends", "chromium", "fonts-liberation", "fonts-noto-core"]
        return subprocess.run(["apt-get", "install", "-qy", *wanted], env=quiet).returncode
    print("Installing Playwright's chromium for the tests.")
    return subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"]).returncode


if __name__ == "__main__":
    sys.exit(main())
