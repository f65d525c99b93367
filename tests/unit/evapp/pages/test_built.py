"""Pages are built once, before there are settings, and serve whoever sets them (docs/deploy.md)."""

import re
from pathlib import Path

import pytest

from tests.databases import ROOT

MODULES = sorted([*(ROOT / "evapp" / "pages").glob("*.py"), *(ROOT / "evapp" / "components").glob("*.py")])


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_setting_is_built_into_a_page(module: Path) -> None:
    """Help of every deployment named the WhatsApp number of the settings' default, which is a stranger's."""
    assert not re.search(r"\bsettings\(\)", module.read_text())
