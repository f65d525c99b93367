"""What a page's websocket says of its browser: to the handlers who it is, to Reflex what it needs and no more."""

from typing import Any
from urllib.parse import parse_qs

from domain import sign_ins
from domain.attempts import Device
from evapp.web import auth, flash
from evapp.web.handshake import Handshake


async def test_the_handshake_hides_the_cookies_and_names_the_sign_in() -> None:
    scopes: list[dict[str, Any]] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    token, device = "a token", auth._devices().dumps((1, "a" * 32, "of her PIN"))
    cookie = f"{auth.COOKIE}={token}; {auth.DEVICE}={device}; {flash.name()}=what a form said"
    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode()), (b"cookie", b'path="; broken=\xff')]
    door = Handshake(inner)
    socket = {"type": "websocket", "path": "/_event", "query_string": b"EIO=4&token=abc", "headers": headers}
    await door(socket, None, None)  # type: ignore[arg-type]
    assert scopes[0]["headers"] == [(b"host", b"localhost")]
    assert scopes[0]["ev.sign_in"] == sign_ins.hash_token(token)
    assert scopes[0]["ev.device"] == Device(1, "a" * 32, "of her PIN")
    assert scopes[0]["ev.flash"] == "what a form said"
    assert token not in repr(scopes[0])
    await door({**socket, "headers": headers[:1]}, None, None)  # type: ignore[arg-type]
    mine, strangers = (parse_qs(scope["query_string"].decode()) for scope in scopes)
    assert mine["EIO"] == strangers["EIO"] == ["4"]
    assert mine["token"] != strangers["token"], "a tab's token alone would open it to anybody"
    await door({"type": "http", "path": "/", "headers": headers}, None, None)  # type: ignore[arg-type]
    assert scopes[2]["headers"] == headers


async def test_of_a_sockets_headers_reflex_gets_what_it_reads_and_no_more() -> None:
    """It kept all of them until the tab's token ended: 360 kB for each tab that a stranger opened and closed."""
    scopes: list[dict[str, Any]] = []
    said: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(message)

    needed = [
        (b"host", b"localhost:3000"),
        (b"connection", b"keep-alive, Upgrade"),
        (b"upgrade", b"websocket"),
        (b"origin", b"http://localhost:3000"),
    ]
    odd = [(f"x-{n}".encode(), b"a" * 8_000) for n in range(45)]
    door = Handshake(inner)
    socket = {"type": "websocket", "path": "/_event", "query_string": b"EIO=4&token=abc"}
    await door({**socket, "headers": [*needed, *odd, (b"user-agent", b"b" * 8_000)]}, receive, send)
    assert scopes[0]["headers"] == needed
    for long in ([(b"origin", b"c" * 8_000)], [(b"origin", b"d" * 400)] * 20):
        await door({**socket, "headers": [*needed, *long]}, receive, send)
    assert len(scopes) == 1
    assert [message["type"] for message in said] == ["websocket.close"] * 2
