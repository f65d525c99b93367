"""docs/deploy.md names only what there is."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from domain.settings import Settings
from tests.databases import ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text()
SYSTEMCTL = """#!/bin/bash
case "$1" in
    is-enabled) [[ " $ENABLED " == *" ${*: -1} "* ]] ;;
    restart) echo "${@:2}" ;;
esac
"""
"""Stands for systemd, and says what was started anew."""


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
    for service in re.findall(r"(?: exec| run --rm --no-deps) (\S+)", PAGE):
        assert f"\n  {service}:" in compose


def test_every_process_of_the_compose_file_is_stopped_and_made_anew() -> None:
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    ours = {name for name, service in services.items() if service.get("image") == "evapp-app"} - {"migrate"}
    [stopped], [anew] = re.findall(r"\$compose stop ([^#]+) #", PAGE), re.findall(r"for one in ([^;]+);", PAGE)
    assert set(stopped.split()) == ours
    assert set(anew.split()) == ours | {"edge"}


def test_the_link_leads_to_the_new_version(tmp_path: Path) -> None:
    """And where a folder is in its place, nothing is done and something is said."""
    first, then = (line.replace("/opt", str(tmp_path)) for line in re.findall(r"^ln .+$", PAGE, re.MULTILINE))
    for line in (first, then):
        subprocess.run(line, shell=True, check=True)
    assert os.readlink(tmp_path / "evapp") == str(tmp_path / "evapp-2")
    (tmp_path / "evapp").unlink()
    (tmp_path / "evapp").mkdir()
    done = subprocess.run(then, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, "cannot overwrite directory" in done.stderr) == (1, True)
    assert not [*(tmp_path / "evapp").iterdir()]


@pytest.mark.parametrize(
    "enabled", [["evapp-web@3000"], ["evapp-web@3000", "evapp-csms@9000"]], ids=["one small machine", "many"]
)
def test_a_new_version_starts_only_what_is_there_anew(tmp_path: Path, enabled: list[str]) -> None:
    """A CSMS that was never enabled would take the chargers' port from the web process."""
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ENABLED": " ".join(enabled)}
    [anew] = re.findall(r"^```\n((?:[^`]+\n)?systemctl stop 'evapp[^`]+)```", PAGE, re.MULTILINE)
    lines = [line.replace("curl", "true") for line in anew.splitlines() if "restart" in line]
    done = subprocess.run(["bash", "-c", "\n".join(lines)], env=given, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == sorted(enabled)


def test_caddy_is_told_all_it_asks_for() -> None:
    asked = set(re.findall(r"\{\$(\w+)", (ROOT / "deploy" / "Caddyfile").read_text()))
    assert set(re.findall(r"^([A-Z]+)=", PAGE, re.MULTILINE)) == asked
