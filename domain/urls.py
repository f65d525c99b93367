"""Addresses of servers in their parts, and which hosts are this machine's own or on a list."""

import contextlib
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError


def parts_of(address: str) -> SplitResult:
    """An address in its parts; none of what cannot be one."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(address)
        if parts.port != 0:  # a port that cannot be is found by asking for it
            return parts
    return urlsplit("")


def driver(address: str) -> str:
    """Which database it names, and what speaks with it; nothing where it cannot be read."""
    with contextlib.suppress(ArgumentError, ValueError):
        return make_url(address).drivername
    return ""


def is_numbered(redis: SplitResult) -> bool:
    """Whether the database that it names is a number, or left out: Redis' client takes 0 for a word."""
    path = "" if redis.scheme == "unix" else redis.path.strip("/")
    return all(one.isascii() and one.isdecimal() for one in (path or "0", dict(parse_qsl(redis.query)).get("db", "0")))


def is_here(host: str | None) -> bool:
    """Whether a host is this machine; no host, and a path, is a socket."""
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_listed(host: str, hosts: Iterable[str]) -> bool:
    """Whether a host, in small letters, is one of these, or below one that begins with `*.`."""
    return any(host.endswith(one[1:]) if one.startswith("*.") else host == one for one in hosts)
