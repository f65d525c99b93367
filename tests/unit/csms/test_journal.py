"""What is hidden before it is written down."""

import json

from csms.journal import HIDDEN, redacted


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


def test_what_cannot_be_read_is_hidden_whole() -> None:
    assert "s3cret" not in redacted('[2,"a","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cret"')
