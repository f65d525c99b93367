"""Security and cache headers on every answer, and pages at the address the driver typed.

The policy is the tightest under which the app runs: no eval, no inline script but those whose hashes
evapp/web/pwa.py took from the built pages. `style-src-elem` must allow inline styles: they are in the
prerendered pages, in toasts and in the scroll lock of a dialog.
"""

import json
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from reflex.utils.prerequisites import get_backend_dir
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.settings import settings
from evapp.texts import bare

HASHES = "csp.json"
"""In Reflex's backend folder, which is not served: the hashes of each built page."""

EVERY_OTHER_PAGE = "*"
"""Their key for the page that React draws by itself: dynamic addresses and 404."""

POLICY = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self'; style-src-elem 'self' 'unsafe-inline'; "
    "style-src-attr 'none'; img-src 'self'; font-src 'self'; connect-src 'self' {socket}; manifest-src 'self'; "
    "worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

OF_ASSETS = "default-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""Scripts, fonts and pictures are no documents; a page has twenty of them, and each carries this."""

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(self), geolocation=(), microphone=(), payment=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)

SCANNER, WASM = "/scan", "wasm-unsafe-eval"
"""The one page that may compile WebAssembly: most browsers have no decoder of QR codes of their own."""

HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
"""Without includeSubDomains: chargers may still speak ws:// to a name beside ours."""

FINGERPRINTED = ("/assets/", "/fonts/")
"""A changed file there has a new name."""

SCRIPTLESS = (*FINGERPRINTED, "/icons/")

OPEN_ENDED = ("/c/", "/history/", "/ops/")
"""Under which an address may end as a file's does."""


class Headers:
    """The outermost transformer of the app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.always = (*ALWAYS, HTTPS_ONLY) if settings().secure else ALWAYS
        # Browsers older than 2022 do not count the websocket of the same host as 'self'.
        self.socket = f"{'wss' if settings().secure else 'ws'}://{urlsplit(settings().url).netloc}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path: str = scope["path"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._extra(path, message)]}
            await send(message)

        await self.app(self._at_its_folder(scope), receive, send_with_headers)

    @cached_property
    def hashes(self) -> dict[str, list[str]]:
        """Page → hashes of its inline scripts; empty where another server has the pages."""
        file: Path = get_backend_dir() / HASHES
        return json.loads(file.read_text()) if file.exists() else {}

    def _at_its_folder(self, scope: Scope) -> Scope:
        """Built pages are folders; the file server would redirect to them by an http address behind TLS."""
        path: str = scope["path"]
        if path not in self.hashes or path == "/" or path.endswith(".html"):
            return scope
        return {**scope, "path": f"{path}/", "raw_path": scope.get("raw_path", path.encode()) + b"/"}

    def _extra(self, path: str, message: Message) -> list[tuple[bytes, bytes]]:
        extra = [*self.always, (b"content-security-policy", self._policy(path).encode())]
        if not any(name == b"cache-control" for name, _ in message["headers"]):
            extra.append((b"cache-control", _cache(path, message["status"])))
        return extra

    def _policy(self, path: str) -> str:
        if path.startswith(SCRIPTLESS):
            return OF_ASSETS
        decoder = [WASM] if bare(path.rstrip("/")) == SCANNER else []
        scripts = "".join(f" '{one}'" for one in (*self._hashes_of(path), *decoder))
        return POLICY.format(scripts=scripts, socket=self.socket)

    def _hashes_of(self, path: str) -> list[str]:
        return self.hashes.get(path.rstrip("/") or "/") or self.hashes.get(EVERY_OTHER_PAGE, [])


def _cache(path: str, status: int) -> bytes:
    if path.startswith(FINGERPRINTED) and status in (200, 206, 304):
        return b"public, max-age=31536000, immutable"
    if not _is_file(path):
        return b"no-store"
    return b"no-cache"


def _is_file(path: str) -> bool:
    """Everything else is a page or a door. Pages take each other's place without a load: of one that was opened as Help
    the browser would keep somebody's account, and show it to whoever goes back after he has signed out."""
    return "." in path.rpartition("/")[2] and not bare(path).startswith(OPEN_ENDED)
