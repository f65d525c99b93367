"""What is hidden before it is written down."""

import json

import pytest

from csms.journal import redacted
from domain.redaction import HIDDEN


def test_a_frame_without_a_key_is_left_as_it_is() -> None:
    assert redacted('[2,"a","Heartbeat" , {}]') == '[2,"a","Heartbeat" , {}]'


def test_the_value_of_a_key_is_hidden_at_any_depth_and_in_any_case() -> None:
    for name in ("AuthorizationKey", "AUTHORIZATIONKEY"):
        frame = json.dumps(
            [3, "a", {"configurationKey": [{"key": name, "value": "s3cret"}, {"key": "x", "value": "y"}]}]
        )
        assert "s3cret" not in redacted(frame)
        assert HIDDEN in redacted(frame)
        assert '"y"' in redacted(frame)


@pytest.mark.parametrize(
    "name", ["WifiPassword", "ApnPassword", "APNPASSWORD", "BearerToken", "SharedSecret", "SimPin"]
)
def test_the_value_of_whatever_names_a_secret_is_hidden(name: str) -> None:
    for frame in (
        json.dumps([2, "a", "ChangeConfiguration", {"key": name, "value": "hunter2"}]),
        json.dumps([3, "a", {"configurationKey": [{"key": name, "readonly": False, "value": "hunter2"}]}]),
    ):
        assert "hunter2" not in redacted(frame)
        assert HIDDEN in redacted(frame)


@pytest.mark.parametrize("name", ["AuthorizationKey", "WifiPassword"])
def test_the_value_of_a_secret_is_hidden_in_json_within_a_text(name: str) -> None:
    """Makers send settings so in the data of a DataTransfer, which is a text (OCPP 1.6, 6.15)."""
    for data in (json.dumps({"key": name, "value": "hunter2"}), f' [{{"Key":"{name}","Value":"hunter2"}}]'):
        frame = json.dumps([2, "a", "DataTransfer", {"vendorId": "x", "data": data}])
        assert "hunter2" not in redacted(frame)
        assert HIDDEN in redacted(frame)


def test_a_text_that_is_json_without_a_secret_is_left_as_it_is() -> None:
    frame = json.dumps([2, "a", "DataTransfer", {"vendorId": "x", "data": '{"key":  "x", "value": "y"}'}])
    assert json.loads(redacted(frame)) == json.loads(frame)


@pytest.mark.parametrize("slash", ["/", "\\/", "\\u002f"])
@pytest.mark.parametrize("name", ["location", "remoteLocation"])
def test_the_password_in_an_address_is_hidden_however_it_is_spelt(name: str, slash: str) -> None:
    frame = f'[2,"a","GetDiagnostics",{{"{name}":"ftp://u:hunter2@files.example/in"}}]'.replace("/", slash)
    kept = redacted(frame)
    assert "hunter2" not in kept
    assert json.loads(kept)[3][name] == f"ftp://{HIDDEN}@files.example/in"


def test_names_in_another_case_hide_as_well() -> None:
    assert "hunter2" not in redacted('[3,"a",{"ConfigurationKey":[{"Key":"WifiPassword","Value":"hunter2"}]}]')


@pytest.mark.parametrize("name", ["WebSocketPingInterval", "AuthorizationCacheEnabled", "HeartbeatInterval"])
def test_a_setting_that_is_no_secret_is_left_as_it_is(name: str) -> None:
    frame = f'[2,"a","ChangeConfiguration",{{"key":"{name}","value":"54"}}]'
    assert json.loads(redacted(frame)) == json.loads(frame)


def test_an_address_without_a_password_is_left_as_it_is() -> None:
    frame = '[2,"a","GetDiagnostics" , {"location":"https://files.example/in"}]'
    assert redacted(frame) == frame


def test_what_cannot_be_read_is_hidden_whole() -> None:
    assert "s3cret" not in redacted('[2,"a","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cret"')
    assert "s3cret" not in redacted('[2,"a","ChangeConfiguration",{"key":"WifiPassword","value":"s3cret"')
    assert "s3cret" not in redacted('[2,"a","GetDiagnostics",{"location":"ftp://u:s3cret@h"')
