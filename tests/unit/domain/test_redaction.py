"""What is hidden is known by its name, wherever it stands, and by nothing else."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from domain import redaction
from domain.redaction import HIDDEN, hidden, is_secret


@pytest.mark.parametrize(
    "name",
    [
        "pin",
        "new_pin",
        "SimPin",
        "access_token",
        "AuthorizationKey",
        "APNPASSWORD",
        "set-cookie",
        "payerVpa",
        "WifiPsk",
        "ApnPasswd",
        "FtpPwd",
        "WLANPasswort",
        "wpa_passphrase",
        "MobileApnPass",
        "ftp-pass2",
        "SimPuk",
        "HMACKey",
        "hmac_key",
        "PrivateKey",
        "wifi.key",
        "BackendCredentials",
        "endpoint",
        "p256dh",
        "auth",
        "x" * 99 + "Pin",
    ],
)
def test_a_name_with_the_word_of_a_secret_is_one(name: str) -> None:
    assert is_secret(name)
    assert hidden({name: "abc"}) == {name: HIDDEN}
    assert hidden([{"key": name, "value": ["abc"]}]) == [{"key": name, "value": HIDDEN}]
    assert hidden({"Key": name, "readonly": False, "VALUE": "abc"}) == {"Key": name, "readonly": False, "VALUE": HIDDEN}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "charger",
            "HeartbeatInterval",
            "WebSocketPingInterval",
            "AuthorizationCacheEnabled",
            "localAuthorizationList",
        ),
        *("PingTimeout", "ConnectorMapping", "MeterPublicKey", "key", "find_key", "PassengerLift", "passed", "Bypass"),
        *("EndpointName", "authorize", "otlp_endpoint"),
    ],
)
def test_any_other_name_is_none(name: str) -> None:
    assert not is_secret(name)
    for kept in ({name: "abc"}, {"key": name, "value": "abc"}):
        assert hidden(kept) == kept


def test_of_a_phone_number_the_end_is_kept() -> None:
    assert hidden({"phone": "+919845012345", "phone_token": 7}) == {"phone": "…2345", "phone_token": HIDDEN}


def test_an_address_loses_its_password_wherever_it_stands() -> None:
    told: Any = {"at": ["ftp://u:hunter2@h/a"], "ftp://u:hunter2@h": 1, "to": "asha@ybl"}
    assert hidden(told) == {"at": [f"ftp://{HIDDEN}@h/a"], f"ftp://{HIDDEN}@h": 1, "to": "asha@ybl"}


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("ftp://u:p/w@h", "ftp://[hidden]@h"),
        ("ftp://u:p@ss@h/a", "ftp://[hidden]@h/a"),
        ("ftp://u:a/b@c:d@h:21/a", "ftp://[hidden]@h:21/a"),
        ("ftp://us@er:pw@h", "ftp://[hidden]@h"),
        ("ftp://:pw@h", "ftp://[hidden]@h"),
        ("get ftp://u:p/1@h/a then http://u:p@k.example/b", "get ftp://[hidden]@h/a then http://[hidden]@k.example/b"),
        ("https://h:8080/a/b?c=d", "https://h:8080/a/b?c=d"),
        ("https://h/a:b@c", "https://h/a:b@c"),
        ("ftp://anonymous@h/a", "ftp://anonymous@h/a"),
    ],
)
def test_the_whole_password_of_an_address_is_hidden(address: str, kept: str) -> None:
    """People write it as it is, with a slash or an at sign in it."""
    assert hidden(address) == kept


@pytest.mark.parametrize("text", ["://a:", "://a:@", "://@", "://a:b", "://", "@://:"])
def test_addresses_are_found_in_the_time_of_one_reading(text: str) -> None:
    """Whoever writes a megabyte of them holds up nobody."""
    began = time.process_time()
    hidden(text * (1_000_000 // len(text)) + "@")
    hidden("://a:" + text[-1] * 1_000_000)
    assert time.process_time() - began < 5


def test_what_json_has_no_form_for_becomes_text() -> None:
    told: Any = {7: (1, 2.5, None, True), "at": datetime(2026, 11, 26, tzinfo=UTC), "one": {"x"}}
    assert hidden(told) == {"7": [1, 2.5, None, True], "at": "2026-11-26 00:00:00+00:00", "one": ["x"]}


def test_what_lies_deeper_than_is_asked_for_is_hidden() -> None:
    assert hidden({"a": [{"b": 1}]}, depth=2) == {"a": [HIDDEN]}
    assert hidden([[1]], depth=2) == [[1]]


def test_long_names_of_strangers_are_not_remembered() -> None:
    before = redaction._remembered.cache_info().currsize
    for n in range(10):
        hidden({f"{n}" * 100: 1})
    assert redaction._remembered.cache_info().currsize == before
