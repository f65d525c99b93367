"""What is counted, and what Prometheus is told of it."""

import threading

import pytest

from domain import metrics
from domain.metrics import METRICS, Counter, Gauge, Histogram


@pytest.fixture
def counter() -> Counter:
    one = Counter("test_knocks", "For this test.", ("outcome",))
    METRICS.pop("test_knocks")
    return one


@pytest.fixture
def histogram() -> Histogram:
    one = Histogram("test_seconds", "For this test.", (0.1, 1.0))
    METRICS.pop("test_seconds")
    return one


def test_a_cell_that_is_kept_counts_for_its_labels(counter: Counter) -> None:
    kept = counter.cell("admitted")
    kept.n += 2
    counter.add("admitted")
    counter.add("refused")
    assert {labels: cell.n for labels, cell in counter.cells.items()} == {("admitted",): 3, ("refused",): 1}


def test_a_value_on_a_bound_is_under_it(histogram: Histogram) -> None:
    for value in (0.05, 0.1, 0.2, 5.0):
        histogram.see(value)
    assert histogram.seen[()] == [2, 1, 1, 5.35]


def test_threads_lose_no_value(histogram: Histogram) -> None:
    threads = [threading.Thread(target=lambda: [histogram.see(0.5) for _ in range(5_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert histogram.seen[()][:3] == [0, 20_000, 0]


def test_every_metric_has_a_name_of_ours_and_a_sentence() -> None:
    declared = [value for value in vars(metrics).values() if isinstance(value, (Counter, Gauge, Histogram))]
    assert {metric.name: metric for metric in declared} == METRICS
    for metric in declared:
        assert metric.name.startswith("evapp_")
        assert metric.says.endswith(".")
