"""A form and a link that the browser itself follows, for what Reflex's router does not know: server routes."""

import reflex as rx
from reflex_base.event import EventHandler, no_args_event_spec
from reflex_components_core.el.element import Element


class NativeForm(Element):
    """A form the browser posts itself; Reflex's own forms never leave the page."""

    tag = "form"
    action: rx.Var[str]
    method: rx.Var[str]
    no_validate: rx.Var[bool]
    """Our sentences stand beside the field; the browser's bubbles would be in its language and words."""
    on_submit: EventHandler[no_args_event_spec]  # type: ignore[type-arg, valid-type]
    """Runs beside the post, never instead of it."""


class NativeLink(Element):
    """A link the browser follows itself: downloads, /auth, /payments, mailto and other sites."""

    tag = "a"
    href: rx.Var[str]
    download: rx.Var[str]
    """Empty for a file: without it Reflex believes that the page is left, and ends its socket."""
    target: rx.Var[str]
    rel: rx.Var[str]
