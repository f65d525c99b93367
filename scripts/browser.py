"""See to it that there are browsers for the tests: a Chromium, Debian's or Playwright's own, and on Debian a WebKit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = ("chromium", "fonts-liberation", "fonts-noto-core")
WEBKIT = ("webkit2gtk-driver", "xvfb")
"""The engine of iPhones, and a screen for it; 30 MB. Without it the tests of tests/e2e/test_webkit.py are skipped."""


def playwright_has_one() -> bool:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def main() -> int:
    chromium = shutil.which("chromium") or playwright_has_one()
    webkit = shutil.which("WebKitWebDriver") and shutil.which("Xvfb")
    if os.geteuid() == 0 and shutil.which("apt-get"):
        wanted = [*(() if chromium else CHROMIUM), *(() if webkit else WEBKIT)]
        return installed(wanted) if wanted else 0
    if chromium:
        return 0
    print("Installing Playwright's chromium for the tests.")
    return subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"]).returncode


def installed(wanted: list[str]) -> int:
    print(f"Installing Debian's {', '.join(wanted)} for the tests.")
    subprocess.run(["apt-get", "update", "-q"], check=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", *wanted], env=quiet).returncode


if __name__ == "__main__":
    sys.exit(main())
