"""What a component may be given to show."""

import reflex as rx

Text = rx.Var[str] | str
"""Words known now, or a Var of them."""

Content = rx.Var[str] | str | rx.Component
"""Words, or words with something among them."""


def given(content: Content) -> bool:
    """Whether there is anything to show; a Var counts, since only the browser knows it."""
    return content != "" if isinstance(content, str) else True
