"""The browser tests stay together: each worker that ran some would build the product over the others'."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="One process runs all: nothing to keep apart.")
def test_all_browser_tests_are_one_workers(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@app")
