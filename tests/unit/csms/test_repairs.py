"""Repaired payloads fit their schema, valid ones are left as they are, and nothing raises."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.repairs import mend
from csms.v16 import V16
from csms.v16.schemas import flaw, schema
from tests.unit.csms.test_frames import JSON

ACTIONS = sorted(V16.handlers)

VALID: dict[str, dict[str, Any]] = {
    "Authorize": {"idTag": "A"},
    "BootNotification": {"chargePointVendor": "a", "chargePointModel": "b", "iccid": "1"},
    "DataTransfer": {"vendorId": "v", "data": "{}"},
    "DiagnosticsStatusNotification": {"status": "Idle"},
    "FirmwareStatusNotification": {"status": "Installed"},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Uploading", "requestId": 1},
    "MeterValues": {
        "connectorId": 1,
        "transactionId": 5,
        "meterValue": [
            {
                "timestamp": "2026-01-01T00:00:00Z",
                "sampledValue": [{"value": "1", "context": "Trigger", "unit": "kWh", "phase": "L1-N"}],
            }
        ],
    },
    "SecurityEventNotification": {"type": "TamperDetectionActivated", "timestamp": "2026-01-01T00:00:00Z"},
    "SignCertificate": {"csr": "-----BEGIN CERTIFICATE REQUEST-----"},
    "SignedFirmwareStatusNotification": {"status": "InstallRebooting", "requestId": 1},
    "StartTransaction": {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"},
    "StatusNotification": {"connectorId": 0, "errorCode": "NoError", "status": "Available", "info": "ok"},
    "StopTransaction": {"transactionId": 1, "meterStop": 9, "timestamp": "2026-01-01T00:00:00Z", "reason": "Local"},
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_valid_payload_is_left_as_it_is(action: str) -> None:
    assert flaw(action, VALID[action]) == ""
    assert mend(schema(action), VALID[action]) == (VALID[action], [], [])


@given(st.sampled_from(ACTIONS), st.data())
def test_a_broken_payload_is_mended_or_named(action: str, data: st.DataObject) -> None:
    """Q12: one field of a valid payload becomes anything; what is left fits, or says which field is missing.

    An unknown word where no other word can stand for it is kept, for the reader of that field to leave out.
    """
    name = data.draw(st.sampled_from([*schema(action)["properties"], "extra"]))
    payload = {**VALID[action], name: data.draw(JSON)}
    mended, notes, missing = mend(schema(action), payload)
    wrong = flaw(action, mended)
    excused = ("is not one of", "is a required property", "non-empty")
    assert not wrong or missing or any(words in wrong for words in excused), wrong
    assert mended == payload or notes


@given(st.sampled_from(ACTIONS), JSON)
def test_no_payload_raises(action: str, payload: Any) -> None:
    mend(schema(action), payload)


def test_what_is_safe_is_mended() -> None:
    """Q12."""
    told = {"connectorId": "1", "errorCode": "Error", "status": "AVAILABLE", "info": "x" * 51, "vendorId": 5, "z": 1}
    mended, notes, missing = mend(schema("StatusNotification"), told)
    assert mended == {
        "connectorId": 1,
        "errorCode": "OtherError",
        "status": "Available",
        "info": "x" * 50,
        "vendorId": "5",
    }
    assert (len(notes), missing) == (6, [])


def test_a_name_in_another_case_is_read_unless_the_right_one_is_there() -> None:
    assert mend(schema("Authorize"), {"IDTAG": "A"})[0] == {"idTag": "A"}
    assert mend(schema("Authorize"), {"idTag": "A", "idtag": "B"})[0] == {"idTag": "A"}


def test_an_unknown_measurand_is_not_taken_for_energy() -> None:
    values = [{"timestamp": "", "sampledValue": [{"value": "1", "measurand": "Alien", "location": "Roof"}]}]
    mended, _, _ = mend(schema("MeterValues"), {"connectorId": 1, "meterValue": values})
    (sampled,) = mended["meterValue"][0]["sampledValue"]
    assert (sampled["measurand"], sampled["location"]) == ("Alien", "Body")
