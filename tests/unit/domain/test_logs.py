"""A log line is one line, and holds no secret."""

import json
from collections.abc import Iterator

import pytest
import structlog

from domain.logs import configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_a_line_is_one_line_whatever_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger().warning("charger says", vendor="Acme\r\nlevel=info event=forged", info="\x1b[31mred")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "\r" not in said
    assert "charger says" in said


def test_an_error_is_one_line_without_what_was_in_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    pin = "274918"
    try:
        raise ValueError("no such PIN" if pin else "")
    except ValueError:
        structlog.get_logger().exception("failed")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "ValueError" in said
    assert pin not in said


def test_secrets_are_hidden_by_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger().info("x", new_pin="274918", access_token="abc", phone="+919845012345", user=7)
    line = json.loads(capsys.readouterr().out)
    assert (line["new_pin"], line["access_token"], line["phone"], line["user"]) == ("[hidden]", "[hidden]", "…2345", 7)
