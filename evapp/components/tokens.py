"""The names of our colours, sizes and corners; their values live in assets/theme.css."""

from reflex_base.plugins.shared_tailwind import TailwindConfig

COLORS = (
    "paper", "surface", "sunken", "line", "edge",
    "ink", "ink-2", "ink-3",
    "peacock", "on-peacock", "marigold", "on-marigold", "amber-text",
    "leaf", "vermilion", "stop", "on-stop", "meter",
)  # fmt: skip
"""Every colour a class name may use. Inside `.meter` the same names mean the panel's colours."""

SIZES = {
    "small": "0.875rem",
    "note": "0.9375rem",
    "body": "1.0625rem",
    "reading": "1.375rem",
    "section": "1.25rem",
    "page": "1.625rem",
    "card": "min(2.25rem, 11vw)",
    "balance": "min(4.25rem, 13.5vw)",
    "dial": "min(7rem, 22vw, 18svh)",
    "thumb": "min(0.875rem, 4vw)",
    "strip": "min(0.9375rem, 5vw)",
}
"""Text sizes from small print to the figure on the meter; rem, so that a reader's own text size counts, as far as the
large ones and the words of the bar at the bottom find room."""

SHORT = "[@media(max-height:44rem)]:"
"""Before a class name: on a phone so short that the meter and the button that stays at the thumb would meet."""

FLAT = "[@media(max-height:27rem)_and_(min-width:34rem)]:"
"""Before a class name: on a phone that lies on its side, where a line across the page would cover the figure."""

CHOICES = (
    "grid gap-2 grid-cols-[repeat(auto-fill,minmax("
    "min(100%,max(4rem,25%_-_.376rem,min(50%_-_.25rem,(17.5rem_-_100%)_*_999))),1fr))]"
)
"""Up to four in a row, each where it will stand when all have come; where four of 4 rem do not fit, two, and one in
larger letters."""

CORNERS = {"field": "12px", "card": "20px", "panel": "28px"}

TAILWIND: TailwindConfig = {
    "theme": {
        "colors": {"transparent": "transparent", "current": "currentColor", **{c: f"var(--{c})" for c in COLORS}},
        "fontSize": SIZES,
        "borderRadius": {"none": "0", "full": "9999px", **CORNERS},
        "fontFamily": {"sans": ["var(--font)"]},
    },
    "plugins": [],
}
"""What the Tailwind plugin is given: our names replace Tailwind's palette, so a stray grey does nothing."""
