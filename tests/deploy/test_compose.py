"""The compose file and the example of its settings name only what there is."""

import re
import shutil
from typing import Any

import pytest
import yaml

from domain.settings import Settings, SettingsError
from tests.databases import ROOT
from tests.deploy.containerfile import TOOLS, stages

COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "evapp-app"}
EXAMPLE = (ROOT / "deploy" / "evapp.env.example").read_text()
MAY_BE_EMPTY = {"seller_address", "seller_state", "seller_gstin"}
KNOWN = {f"EVAPP_{name.upper()}" for name in Settings.model_fields}


def test_every_setting_exists() -> None:
    named = set(re.findall(r"^(EVAPP_\w+)=", EXAMPLE, re.MULTILINE))
    for service in OURS.values():
        named |= {name for name in service["environment"] if name.startswith("EVAPP_")}
    assert named - KNOWN == set()
    assert KNOWN & set(re.findall(r"EVAPP_\w+", (ROOT / "deploy" / "Containerfile").read_text())) == {"EVAPP_VAR_DIR"}


def test_every_name_that_is_asked_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "deploy" / "compose.yaml").read_text()))
    assert asked - set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE)) == set()


def example() -> dict[str, str]:
    """What a process of the containers is given where nothing was filled in."""
    given = dict(re.findall(r"^EVAPP_(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    of_compose = {
        name.removeprefix("EVAPP_"): re.sub(r"\$\{(\w+)[^}]*\}", r"\1", str(value))
        for name, value in OURS["web-1"]["environment"].items()
    }
    return {name.lower(): value for name, value in (given | of_compose).items()}


def test_the_settings_are_those_that_production_starts_with() -> None:
    """All that the example leaves empty and that must be set, filled in, is enough (security.md, rule 10)."""
    Settings(**{name: value or ("" if name in MAY_BE_EMPTY else "x" * 40) for name, value in example().items()}).check()


def test_production_refuses_each_that_is_left_empty() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(**example()).check()
    named = {sentence.split()[0] for sentence in refused.value.args}
    assert named == {f"EVAPP_{name.upper()}" for name, value in example().items() if not value} - {
        f"EVAPP_{name.upper()}" for name in MAY_BE_EMPTY
    }


def test_a_process_may_open_as_many_files_as_under_systemd() -> None:
    """Docker gives 1,024 by now, and whoever comes beyond them finds his connection closed, without a line of log."""
    for unit in ("evapp-web@.service", "evapp-csms@.service"):
        [most] = re.findall(r"^LimitNOFILE=(\d+)$", (ROOT / "deploy" / "systemd" / unit).read_text(), re.MULTILINE)
        assert {service.get("ulimits", {}).get("nofile") for service in OURS.values()} == {int(most)}


def test_no_log_fills_the_disk() -> None:
    """Docker's own way keeps all that was ever said."""
    options = {name: service.get("logging", {}).get("options", {}) for name, service in SERVICES.items()}
    assert [name for name, of in options.items() if not {"max-size", "max-file"} <= of.keys()] == []


def test_every_program_of_ours_exists() -> None:
    for service in OURS.values():
        for command in (service.get("command"), service.get("healthcheck", {}).get("test", [None, None])[1:]):
            if command and command[0]:
                assert shutil.which(command[0], path=str(TOOLS)), command


def test_everything_is_watched_and_comes_back() -> None:
    for name, service in SERVICES.items():
        assert service["restart"] in ("always", "on-failure"), name
        watched = "healthcheck" in service or stages()["app"].of("HEALTHCHECK")
        assert watched if name in OURS else "healthcheck" in service, name


def test_the_edge_asks_every_process_and_nothing_else_is_open() -> None:
    edge = SERVICES["edge"]["environment"]
    asked = {address.split(":")[0] for names in (edge["WEB"], edge["CSMS"]) for address in names.split()}
    assert asked == OURS.keys() - {"migrate"}
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"edge"}


def test_the_figures_of_every_process_are_told_to_a_prometheus_beside_it() -> None:
    """In another container; nothing of them is open outside, as above."""
    for name, service in OURS.items():
        given = service["environment"]
        assert (given.get("EVAPP_METRICS_HOST"), given.get("EVAPP_METRICS_PORT")) == ("0.0.0.0", "9464"), name


def test_a_restored_database_may_have_another_name() -> None:
    name = SERVICES["postgres"]["environment"]["POSTGRES_DB"]
    assert name == "${POSTGRES_DB:-evapp}"
    assert {service["environment"]["EVAPP_DATABASE_URL"].rpartition("/")[2] for service in OURS.values()} == {name}


def test_the_edge_is_believed_on_where_a_charger_comes_from() -> None:
    [subnet] = [one["subnet"] for one in COMPOSE["networks"]["inside"]["ipam"]["config"]]
    assert OURS["csms-1"]["environment"]["EVAPP_OCPP_PROXIES"] == subnet
    [shared] = set(SERVICES["edge"]["networks"]) & set(OURS["csms-1"]["networks"])
    assert shared == "inside"


def test_every_base_is_pinned() -> None:
    for name, service in SERVICES.items():
        if name not in OURS and name != "edge":
            assert re.search(r":\d+\.\d+(\.\d+)?-", service["image"]), name
