"""The dashboard, the alerts and the page of metrics speak of exactly the metrics there are."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from domain.metrics import METRICS, Counter, Histogram
from domain.traces import KINDS
from tests.databases import ROOT

DASHBOARD = ROOT / "deploy" / "grafana" / "evapp.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
OPERATE = ROOT / "docs" / "operate.md"

WRITTEN = {name + ("_total" if isinstance(metric, Counter) else "") for name, metric in METRICS.items()}
"""As the exposition has them."""
HISTOGRAMS = {name for name, metric in METRICS.items() if isinstance(metric, Histogram)}
TOLD = WRITTEN - HISTOGRAMS | {name + end for name in HISTOGRAMS for end in ("_bucket", "_sum", "_count")}
LABELS = {name: set(metric.labels) for name, metric in METRICS.items()}


def queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def base(name: str) -> str:
    return re.sub(r"_(total|bucket|sum|count)$", "", name) if name not in METRICS else name


def table(head: str) -> list[list[str]]:
    """The rows of a table of docs/operate.md, by the first cell of its head."""
    lines = OPERATE.read_text(encoding="utf-8").split(f"\n| {head} |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("query", [*queries(), *(rule["expr"] for rule in alerts())])
def test_every_query_asks_for_a_metric_and_labels_that_exist(query: str) -> None:
    names = set(re.findall(r"evapp_\w+", query))
    assert names - TOLD == set()
    asked = set(re.findall(r"by \(([^)]*)\)", query)) | set(re.findall(r"\{(\w+)=~?\"", query))
    known = {"le", "instance", "job"} | {label for name in names for label in LABELS[base(name)]}
    assert {label.strip() for part in asked for label in part.split(",")} - known == set()


def test_the_dashboard_shows_every_metric() -> None:
    shown = {base(name) for query in queries() for name in re.findall(r"evapp_\w+", query)}
    assert shown == set(METRICS)


def test_the_page_explains_every_metric_with_its_labels() -> None:
    explained = {row[0].split("`")[1]: (set(re.findall(r"`(\w+)`", row[1])), row[2]) for row in table("metric")}
    assert explained == {
        name + ("_total" if isinstance(metric, Counter) else ""): (set(metric.labels), metric.says)
        for name, metric in METRICS.items()
    }


def test_the_page_explains_every_step_of_a_trace() -> None:
    assert {row[0].strip("`"): row[1] for row in table("step")} == {name: kind.says for name, kind in KINDS.items()}


def test_the_page_explains_every_alert() -> None:
    explained = {row[0].strip("`"): row for row in table("alert")}
    assert list(explained) == [rule["alert"] for rule in alerts()]
    assert all(len(row) == 3 and row[1].endswith(".") and row[2].endswith(".") for row in explained.values())


def test_every_alert_says_how_loud_it_is_and_what_happened() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not here; Debian's package prometheus has it.")
    return found


def test_prometheus_can_read_the_alerts(promtool: str) -> None:
    done = subprocess.run([promtool, "check", "rules", ALERTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_alerts_fire_where_some_series_are_not_there_yet(promtool: str) -> None:
    cases = ROOT / "tests" / "deploy" / "alerts.yml"
    done = subprocess.run([promtool, "test", "rules", cases], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
