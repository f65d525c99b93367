"""What the built pages still need: an offline page, a service worker, and the hashes of their inline scripts.

Reflex compresses the files after this, so the copies for gzip and brotli are made of the changed ones.
"""

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from reflex.utils.prerequisites import get_backend_dir, get_web_dir
from reflex_base.plugins.base import Plugin

from evapp.components.notifying import when_pressed, when_pushed
from evapp.components.scanner import DECODER
from evapp.texts.languages import ENGLISH, LANGUAGES
from evapp.web.headers import EVERY_OTHER_PAGE, HASHES

INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.S)
ANY_SCRIPT = re.compile(r"<script\b.*?</script>|<link rel=\"modulepreload\"[^>]*>", re.S)

OFFLINE = "offline.html"
FALLBACK = "__spa-fallback.html"
WORKER = "sw.js"

KEPT = [OFFLINE, "fonts/*.woff2", "icons/favicon.svg", "assets/__reflex_global_styles-*.css"]
"""What the phone keeps. No page but the offline one: an old page would meet a newer server."""

ZXING = "zxing-wasm/dist/reader/zxing_reader.wasm"

NAVIGATIONS = "({ request }) => request.mode === 'navigate'"
VERSIONED = r"/^(assets|fonts)\//"
"""Workbox asks for a function and a pattern here, which JSON cannot hold. What has a new name when it changes is taken
as the page has it already, instead of asked for once more."""


class WorkerError(Exception):
    """Workbox could not write the service worker; its own words are the argument."""


class PWAPlugin(Plugin):
    """Runs after each build of the front end."""

    def get_frontend_development_dependencies(self, **context: Any) -> list[str]:
        return ["workbox-cli@7.4.1"]

    def post_build(self, **context: Any) -> None:
        """Finish the built pages in `static_dir`.

        Raises:
            WorkerError: Workbox failed.
        """
        static: Path = context["static_dir"].resolve()
        name_languages(static)
        offline = static / OFFLINE
        if offline.exists():
            offline.write_text(without_app(offline.read_text()))
            write_worker(static, get_web_dir().resolve())
        else:  # `make dev` builds no page ahead; a worker that does nothing will do
            (static / WORKER).touch()
        serve_decoder(static, get_web_dir().resolve())
        write_hashes(static, get_backend_dir() / HASHES)


def name_languages(static: Path) -> None:
    """Reflex gives every document one language; a page's own stands in its address."""
    for one in LANGUAGES.values():
        if one.prefix:
            for page in (static / one.prefix.strip("/")).rglob("*.html"):
                page.write_text(page.read_text().replace(f'<html lang="{ENGLISH.tag}"', f'<html lang="{one.tag}"', 1))


def serve_decoder(static: Path, web: Path) -> None:
    """The scanner's decoder of QR codes, from its package to where evapp/components/scanner.py looks for it."""
    there = static / DECODER.strip("/")
    there.mkdir(exist_ok=True)
    decoder = Path(shutil.copy(web / "node_modules" / ZXING, there))
    # Reflex compresses what its list of endings knows, and serves what lies compressed beside a file.
    decoder.with_name(f"{decoder.name}.gz").write_bytes(gzip.compress(decoder.read_bytes(), mtime=0))


def without_app(page: str) -> str:
    """A page that needs nothing but its style: the worker shows it under any address, offline.

    The first inline script stays: it chooses the theme, and its hash is the same on every page.
    """
    theme = INLINE_SCRIPT.search(page)
    return ANY_SCRIPT.sub("", page).replace("</head>", f"{theme.group() if theme else ''}</head>", 1)


def write_hashes(static: Path, file: Path) -> None:
    """For the Content-Security-Policy: what may run inline, page by page."""
    pages = {_address(page.relative_to(static)): hashes_of(page.read_text()) for page in static.rglob("*.html")}
    pages.setdefault(EVERY_OTHER_PAGE, pages.get("/", []))  # where no page is built ahead, index.html is every page
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(pages, indent=1, sort_keys=True))


def hashes_of(page: str) -> list[str]:
    """Hashes of the inline scripts of a page, in the words of a policy."""
    return [
        "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in INLINE_SCRIPT.findall(page)
        if script
    ]


def write_worker(static: Path, web: Path) -> None:
    """Let Workbox write the worker: it keeps `KEPT` and answers with the offline page where no page can be reached."""
    config = {
        "globDirectory": str(static),
        "globPatterns": KEPT,
        "swDest": str(static / WORKER),
        "clientsClaim": True,
        "skipWaiting": True,
        "cleanupOutdatedCaches": True,
        "sourcemap": False,
        "dontCacheBustURLsMatching": "VERSIONED",
        "inlineWorkboxRuntime": True,
        "runtimeCaching": [
            {
                "urlPattern": "NAVIGATIONS",
                "handler": "NetworkOnly",
                "options": {"precacheFallback": {"fallbackURL": OFFLINE}},
            }
        ],
    }
    file = web / "workbox.cjs"
    written = json.dumps(config).replace('"NAVIGATIONS"', NAVIGATIONS).replace('"VERSIONED"', VERSIONED)
    file.write_text(f"module.exports = {written}")
    workbox = [str(web / "node_modules/.bin/workbox"), "generateSW", str(file)]
    done = subprocess.run(workbox, cwd=web, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorkerError(done.stdout + done.stderr)
    with (static / WORKER).open("a") as worker:
        # Workbox's last statement has no end of its own.
        worker.write(f"\n;{when_pressed()!s};\n{when_pushed()!s};\n// {version(static)}\n")


def version(static: Path) -> str:
    """Names this build: fingerprinted files are called otherwise when they change, and a changed worker says so."""
    names = sorted(file.name for file in (static / "assets").glob("*"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _address(page: Path) -> str:
    """offline.html and login/index.html answer for /offline.html and /login."""
    if page.name == FALLBACK:
        return EVERY_OTHER_PAGE
    if page.name == "index.html":
        return "/" + page.parent.as_posix().removeprefix(".")
    return f"/{page.as_posix()}"
