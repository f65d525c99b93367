"""Whether this process lives, and whether it can serve: for whoever restarts it and whoever sends it traffic."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from domain.db import answers

Check = Callable[[], bool]


async def live(_: Request) -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "live"})


def routes(needed: dict[str, Check], told: dict[str, Check]) -> list[Route]:
    """The health routes; `needed` is what else must be up besides the database, `told` what is missed when it is not.

    What all processes share is only told: a process that is left out for it helps nobody.
    """

    async def ready(_: Request) -> JSONResponse:
        """200 when everything that serving needs is up, else 503; says which."""
        parts = {"database": await answers(), **{name: check() for name, check in needed.items()}}
        lesser = {name: check() for name, check in told.items()}
        serves, whole = all(parts.values()), all(lesser.values())
        status = "not ready" if not serves else "ready" if whole else "degraded"
        return JSONResponse({"status": status, **parts, **lesser}, 200 if serves else 503)

    return [Route("/health/live", live), Route("/health/ready", ready)]
