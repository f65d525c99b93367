"""The bare address, in each language, is no page: it leads to where its visitor belongs."""

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from evapp.texts import at
from evapp.texts.languages import LANGUAGES
from evapp.web import auth


async def home(request: Request) -> RedirectResponse:
    """To the dashboard, or to sign in."""
    user = await auth.of_request(request)
    return RedirectResponse(at("/dashboard" if user else "/login"), 303)


routes = [Route(path, home) for one in LANGUAGES.values() for path in dict.fromkeys((at("/", one), one.prefix or "/"))]
