"""docs/deploy.md names only what there is."""

import re

from domain.settings import Settings
from tests.databases import ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text()


def test_every_file_exists() -> None:
    for path in re.findall(r"(?<![\w/])deploy/[\w./@-]*[\w]", PAGE):
        assert path == "deploy/evapp.env" or (ROOT / path).exists(), path
    for unit in re.findall(r"\b(evapp-\w+)(?:@|\.service)", PAGE):
        assert [*(ROOT / "deploy" / "systemd").glob(f"{unit}*.service")], unit


def test_every_setting_target_and_service_exists() -> None:
    known = {f"EVAPP_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"EVAPP_[A-Z0-9_]+", PAGE)) <= known
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^|`)make ([a-z]+)", PAGE, re.MULTILINE):
        assert f"\n{target}:" in makefile, target
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    for service in re.findall(r" exec (\S+)", PAGE):
        assert f"\n  {service}:" in compose


def test_caddy_is_told_all_it_asks_for() -> None:
    asked = set(re.findall(r"\{\$(\w+)", (ROOT / "deploy" / "Caddyfile").read_text()))
    assert set(re.findall(r"^([A-Z]+)=", PAGE, re.MULTILINE)) == asked
