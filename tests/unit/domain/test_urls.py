"""Addresses of servers in their parts, and which hosts are this machine's own or on a list."""

import pytest

from domain.urls import is_here, is_listed, parts_of


@pytest.mark.parametrize(
    ("host", "listed"),
    [
        ("a.example", True),
        ("x.b.example", True),
        ("y.x.b.example", True),
        ("b.example", False),
        ("xb.example", False),
        ("x.a.example", False),
        ("a.example.org", False),
        ("", False),
    ],
)
def test_what_is_on_a_list(host: str, listed: bool) -> None:
    assert is_listed(host, ("a.example", "*.b.example")) is listed


@pytest.mark.parametrize(
    ("host", "here"),
    [
        (None, True),
        ("/run/postgresql", True),
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("db", False),
    ],
)
def test_what_is_this_machine(host: str | None, here: bool) -> None:
    assert is_here(host) is here


@pytest.mark.parametrize("address", ["https://[a", "https://a:99999", "https://a:0", "https://a:b"])
def test_what_cannot_be_an_address_has_no_parts(address: str) -> None:
    assert parts_of(address).geturl() == ""
