"""Write docs/settings.md from where the settings are declared, so that the page cannot lie."""

import argparse
import sys
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = """# Settings

Environment variables, all optional in development. With `EVAPP_ENV=production` the app refuses to start with a default
secret, a sandbox or simulator, or an address without https, and says which. This page is made from `domain/settings.py`
by `python scripts/settings_page.py`.

| variable | default | what it does |
|---|---|---|
"""


def page() -> str:
    """The page as it should be now."""
    sys.path.insert(0, str(PAGE.parents[1]))
    from domain.settings import Settings

    return HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    shown = "" if default in ("", None) else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    meaning = (field.description or "").replace("<", "&lt;").replace("|", "\\|")
    return f"| `EVAPP_{name.upper()}` | {shown} | {meaning} |\n"


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python scripts/settings_page.py", description=__doc__).parse_args()
    PAGE.write_text(page(), encoding="utf-8")
