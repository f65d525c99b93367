"""The operators' pages: for everybody else there is nothing at their addresses."""

import re
from functools import cached_property
from pathlib import Path

from reflex.constants import Dirs
from reflex.utils.prerequisites import get_web_dir
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.models import Role
from evapp.components.brand import window_title
from evapp.pages.notfound import TITLE
from evapp.texts import bare, language, speaking
from evapp.texts.languages import ENGLISH
from evapp.web import auth
from evapp.web.pwa import OFFLINE, without_app

PAGES = "/ops"
BUILT = re.compile(r"\.html(\.|$)")
"""In the name of a built page, or of a compressed one. The service worker asks for one of them: OFFLINE."""
NOTHING = "nothing.html"
"""The page of an address at which there is nothing, built ahead: the one that React draws needs the app."""


class OperatorsOnly:
    """Round the pages: whoever is no operator gets the page of an unknown address, without the app to look further.

    So does everybody for a second address of a page.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or await _may_see(scope):
            await self.app(scope, receive, send)
        else:
            page = self.nothing.replace(f'lang="{ENGLISH.tag}"', f'lang="{language().tag}"', 1)
            with speaking(ENGLISH):
                title = window_title(TITLE)
            page = page.replace(f"<title>{title}</title>", f"<title>{window_title(TITLE)}</title>", 1)
            await HTMLResponse(page, 404)(scope, receive, send)

    @cached_property
    def nothing(self) -> str:
        """Where another server has the pages, there is nothing to say it with."""
        file: Path = get_web_dir() / Dirs.STATIC / NOTHING
        return without_app(file.read_text()) if file.exists() else ""


async def _may_see(scope: Scope) -> bool:
    path: str = scope["path"]
    if _is_another_name(path):
        return False
    return not _is_theirs(path) or await _is_operator(Request(scope))


def _is_another_name(path: str) -> bool:
    """Whether the file server would find a page by this path that has a better one."""
    *before, last = path.removeprefix("/").split("/")
    steps = "" in before or not {".", ".."}.isdisjoint((*before, last))
    return path != f"/{OFFLINE}" and (steps or any(BUILT.search(name) for name in (*before, last)))


def _is_theirs(path: str) -> bool:
    return f"{bare(path)}/".startswith(f"{PAGES}/")


async def _is_operator(request: Request) -> bool:
    user = await auth.of_request(request)
    return user is not None and user.role == Role.OPERATOR
