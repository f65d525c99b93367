"""Addresses with a text in them: WhatsApp, mail, and the page to come back to."""

from typing import Any
from urllib.parse import quote

import reflex as rx
from reflex_base.vars.function import FunctionStringVar, FunctionVar

from evapp.components.text import Text

encode: FunctionVar[Any] = FunctionStringVar.create("encodeURIComponent")


def encoded(text: Text) -> Text:
    """A text as part of an address, whether it is known now or only in the browser."""
    return encode.call(text).to(str) if isinstance(text, rx.Var) else quote(text, safe="")


def whatsapp(number: Text, text: Text) -> Text:
    """A chat with `number` (digits with country code) in which `text` is already typed."""
    return f"https://wa.me/{number}?text={encoded(text)}"


def shared(text: Text) -> Text:
    """WhatsApp with a text to send to whomever one likes."""
    return f"https://wa.me/?text={encoded(text)}"


def maps(place: Text) -> Text:
    """The way to a place; on a phone its own app for maps opens."""
    return f"https://www.google.com/maps/search/?api=1&query={encoded(place)}"


def mail(address: Text, subject: Text, text: Text) -> Text:
    """A letter to `address` that is already begun."""
    return f"mailto:{address}?subject={encoded(subject)}&body={encoded(text)}"


def returning(path: str, back: Text) -> Text:
    """A page that leads on to `back`, when there is one."""
    return rx.cond(back != "", f"{path}?next={encoded(back)}", path)
