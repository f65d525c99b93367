"""Identities and keys, out of anything that can stand in a path or a header."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers

from csms.handshake import NoCredentials, NoIdentity, identity, key


@given(st.text())
def test_a_path_gives_an_identity_or_none(path: str) -> None:
    with contextlib.suppress(NoIdentity):
        assert identity(path).isascii()


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_a_header_gives_a_key_or_none(value: str) -> None:
    headers = Headers()
    headers._dict["authorization"] = [value]
    with contextlib.suppress(NoCredentials):
        key(headers, "RAW-1")


@given(st.binary(max_size=64))
def test_any_bytes_are_a_key(password: bytes) -> None:
    """Q8: colons too."""
    value = "Basic " + base64.b64encode(b"RAW-1:" + password).decode()
    assert key(Headers({"Authorization": value}), "RAW-1") == password


def test_an_identity_has_colons_as_a_mac_address_has() -> None:
    """Q8: RFC 7617 ends the user at the first colon; the charger is known from its path."""
    value = "Basic " + base64.b64encode(b"00:1A:2B:3C:4D:5E:0123:4567").decode()
    assert key(Headers({"Authorization": value}), "00:1A:2B:3C:4D:5E") == b"0123:4567"
    for other in ("00:1A:2B:3C:4D:5F", "00:1A:2B:3C:4D:5E:0123:4567", "0"):
        with pytest.raises(NoCredentials):
            key(Headers({"Authorization": value}), other)


def test_two_headers_are_none() -> None:
    headers = Headers([("Authorization", "Basic UkFXLTE6YQ=="), ("Authorization", "Basic UkFXLTE6Yg==")])
    with pytest.raises(NoCredentials):
        key(headers, "RAW-1")


def test_no_header_is_no_key() -> None:
    assert key(Headers(), "RAW-1") is None
