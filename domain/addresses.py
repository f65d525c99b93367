"""Whom a connection comes from, of chargers and browsers alike: its own address, or whom a believed proxy names."""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

Networks = tuple[IPv4Network | IPv6Network, ...]
REMEMBERED = 10_000
"""Addresses whose neighbourhood is not worked out again: behind a proxy it is the same one each time."""
_PORT = re.compile(r"(?P<v4>[0-9.]+):[0-9]+|\[(?P<v6>[^\]]*)\](?::[0-9]+)?")
"""An address with a port, or in the brackets that IPv6 wants before one."""


def source(peer: str, forwarded: Iterable[str], hops: int, proxies: Networks = ()) -> str:
    """The address that a request comes from.

    Args:
        peer: who holds the socket; empty where nobody knows.
        forwarded: its headers X-Forwarded-For, which strangers can write: each proxy adds whom it was asked by.
        hops: the proxies one behind the other; with 0 no header is believed.
        proxies: who is believed beside this machine itself (EVAPP_OCPP_PROXIES).
    """
    told = named(forwarded)
    if not hops or len(told) < hops or neighbourhood((peer, 0), proxies):
        return peer
    return told[-hops]


def named(forwarded: Iterable[str]) -> list[str]:
    """The addresses in headers X-Forwarded-For, first to last, without their ports."""
    return [_without_port(one.strip()) for one in ",".join(forwarded).split(",") if one.strip()]


def _without_port(address: str) -> str:
    parts = _PORT.fullmatch(address)
    return (parts["v4"] or parts["v6"]) if parts else address


def neighbourhood(peer: object, proxies: Networks = ()) -> str:
    """Whom a socket belongs to: the IPv4 address, the /64 of IPv6; empty for a proxy and for this machine."""
    return _neighbourhood(peer[0], proxies) if isinstance(peer, tuple) else ""


@lru_cache(REMEMBERED)
def _neighbourhood(host: str, proxies: Networks) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback or any(address in network for network in proxies):
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
