"""A form that a browser posted: from our own pages, small, and read into plain strings."""

import asyncio
import re
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from domain.settings import settings
from evapp.texts import at, bare, t

LARGEST = 65_536
"""Bytes of a body: room for a sentence about a name that is much too long."""
PATIENCE_S = 10.0
"""How long it may take to come, on a slow line too."""
MOST_FIELDS = 20
HOME = "/dashboard"
KEEP = "yes"
"""What the box "keep me signed in" sends while it is ticked."""
FORM = "application/x-www-form-urlencoded"
_LOCAL = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]{0,500}")


class Unreadable(Exception):
    """What was posted is no form of ours; says so with a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status, sentence)
        self.status, self.sentence = status, sentence

    def answer(self) -> Response:
        return PlainTextResponse(f"{self.sentence}\n", self.status)


async def fields(request: Request) -> dict[str, str]:
    """The fields of a form posted by one of our pages; the first of several with one name.

    Raises:
        Unreadable: 403 from another site, 413 too large, 408 too slow, 415 not a form, 400 broken off, or too
            many fields.
    """
    _from_here(request)
    if request.headers.get("content-type", FORM).partition(";")[0].strip() != FORM:
        raise Unreadable(415, t("This address takes a form."))
    body = (await _whole(request)).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError:
        raise Unreadable(400, t("This form has more fields than ours.")) from None
    return dict(reversed(pairs))


def local(path: object) -> str:
    """A path of our own to go on to; Home for everything that could lead elsewhere, in another language, too."""
    if isinstance(path, str) and _LOCAL.fullmatch(path):
        page = bare(path)
        if _LOCAL.fullmatch(page) and not page.startswith("/auth/"):
            return path
    return at(HOME)


def number(typed: str) -> int:
    """What a page of ours put into a field as a whole number; 0 for anything else."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 16 else 0


def _from_here(request: Request) -> None:
    """Browsers say where a post comes from; what says nothing is no browser, and carries nobody's cookies."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    if (origin != settings().url) if origin else (site not in ("same-origin", "none")):
        raise Unreadable(
            403, t("This form was sent from another site. Open {address} and try again.", address=settings().url)
        )


def onward(request: Request, typed: dict[str, str]) -> str:
    """Where the driver was going, as its page's address says; a browser that does not tell it leaves the form's word.

    The form learns it from the server, and knows nothing, or what the page before was for, until that has come.
    Empty for nowhere; `local` it before use.
    """
    page = request.headers.get("referer", "").partition("?")[2].partition("#")[0]
    return dict(parse_qsl(page)).get("next") or typed.get("next", "")


async def _whole(request: Request) -> bytes:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _body(request)
    except TimeoutError:
        raise Unreadable(408, t("The message took too long.")) from None
    except ClientDisconnect:
        raise Unreadable(400, t("The message broke off.")) from None


async def _body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    body = bytearray()
    if announced.isascii() and announced.isdigit() and int(announced[:12]) <= LARGEST:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                break
        else:
            return bytes(body)
    raise Unreadable(413, t("This form is too large."))
