"""Whom a connection comes from."""

from ipaddress import ip_network

import pytest

from domain.addresses import named, neighbourhood, source


@pytest.mark.parametrize(
    ("peer", "whose"),
    [
        (("127.0.0.1", 5), ""),
        (("::1", 5, 0, 0), ""),
        (("203.0.113.9", 5), "203.0.113.9"),
        (("::ffff:203.0.113.9", 5, 0, 0), "203.0.113.9"),
        (("2001:db8:1:2:3:4:5:6", 5, 0, 0), "2001:db8:1:2::/64"),
        (("198.51.100.7", 5), ""),
        (("::ffff:198.51.100.7", 5, 0, 0), ""),
        (None, ""),
        ("/a/unix/socket", ""),
        (("no address", 5), ""),
    ],
)
def test_whom_a_socket_belongs_to(peer: object, whose: str) -> None:
    assert neighbourhood(peer, (ip_network("198.51.100.0/24"),)) == whose


def test_addresses_are_named_without_their_ports() -> None:
    told = ["10.0.0.1:5, 203.0.113.9", " [2001:db8::7]:443,[2001:db8::8] , 2001:db8::9,", "", "unknown, 1:2:3"]
    plain = ["10.0.0.1", "203.0.113.9", "2001:db8::7", "2001:db8::8", "2001:db8::9", "unknown", "1:2:3"]
    assert named(told) == plain


def test_nobody_but_a_proxy_names_another() -> None:
    told, proxies = ["6.6.6.6", "1.1.1.1:80"], (ip_network("10.0.0.0/8"),)
    assert source("10.0.0.2", told, 1, proxies) == source("::1", told, 1, proxies) == "1.1.1.1"
    assert source("10.0.0.2", told, 1) == "10.0.0.2"
    assert source("203.0.113.7", told, 1, proxies) == "203.0.113.7"
    assert source("127.0.0.1", told, 0) == source("127.0.0.1", told, 3) == "127.0.0.1"
