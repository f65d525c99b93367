"""Cells of a CSV file: exact figures, and no text of somebody's that a spreadsheet would work out."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a text begins with that a spreadsheet would work out (OWASP, CSV injection)."""


def decimal(paise: int) -> str:
    """Rupees as spreadsheets read them: -13575 -> -135.75."""
    rupees, rest = divmod(abs(paise), 100)
    return f"{'-' if paise < 0 else ''}{rupees}.{rest:02d}"


def harmless(text: str) -> str:
    """The text, with an apostrophe before what would be a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
