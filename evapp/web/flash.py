"""What a posted form leaves behind for the page it came from: signed, unreadable for scripts, gone in a minute."""

import hashlib
from collections.abc import Mapping
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.responses import Response

from domain.settings import settings

COOKIE = "evapp_flash"
SECONDS = 60
KEPT = ("login", "username", "phone", "email", "keep")
"""Fields that come back filled in; PINs never do."""
LONGEST_FIELD = 254
LONGEST_COOKIE = 3_800
"""Browsers drop cookies above 4 kB."""


def leave(
    response: Response, form: str, *, typed: Mapping[str, str] = {}, errors: Mapping[str, str] = {}, note: str = ""
) -> None:
    """Send the page a form's fields and its errors (field → sentence; "" for the form as a whole), or a good note."""
    fields = {name: typed[name][:LONGEST_FIELD] for name in KEPT if name in typed}
    flash = {"form": form, "fields": fields, "errors": dict(errors), "note": note}
    value = _signer().dumps(flash)
    if len(value) > LONGEST_COOKIE:
        value = _signer().dumps(flash | {"fields": {}})
    response.set_cookie(name(), str(value), max_age=SECONDS, **attributes())


def read(cookie: str | None, form: str) -> dict[str, Any]:
    """What was left for this form within the last minute; empty when nothing was, or it was tampered with."""
    try:
        flash = _signer().loads(cookie or "", max_age=SECONDS)
    except BadData:
        return {}
    return flash if flash.get("form") == form else {}


def forget(response: Response) -> None:
    """Take it back, since the form went through."""
    response.delete_cookie(name(), **attributes())


def name(cookie: str = COOKIE) -> str:
    """A cookie's name; over https its prefix makes browsers refuse one set by another host or path."""
    return f"__Host-{cookie}" if settings().secure else cookie


def attributes() -> dict[str, Any]:
    """Of every cookie of ours. Lax, since the way back from PhonePe must carry them."""
    return {"path": "/", "httponly": True, "samesite": "lax", "secure": settings().secure}


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret(), salt=COOKIE, signer_kwargs={"digest_method": hashlib.sha256})
