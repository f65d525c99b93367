"""What the OCA's compliance tool (OCTT 1.6) has a central system ask of a charger, by the numbers of its cases."""

from dataclasses import dataclass, field
from typing import Any

OK, NO = {"status": "Accepted"}, {"status": "Rejected"}
HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "a" * 64,
    "issuerKeyHash": "b" * 64,
    "serialNumber": "01",
}
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----"
LIST = [{"idTag": "CARD1", "idTagInfo": {"status": "Accepted"}}]
LATER = "2099-01-01T00:00:00Z"
SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": SCHEDULE,
}
TX_PROFILE = {**PROFILE, "chargingProfilePurpose": "TxProfile"}
FIRMWARE = {"location": "ftp://files/fw.bin", "retrieveDate": LATER}
SIGNED = {
    "requestId": 1,
    "firmware": {
        "location": "ftp://files/fw.bin",
        "retrieveDateTime": LATER,
        "signingCertificate": PEM,
        "signature": "abcd",
    },
}
LOG = {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": "ftp://files/"}}


@dataclass(frozen=True)
class Asked:
    """We ask, the charger answers, and then tells what it does: each of that is answered."""

    action: str
    payload: dict[str, Any]
    answer: dict[str, Any]
    then: tuple[tuple[str, dict[str, Any]], ...] = field(default=())


def told(action: str, *statuses: str, **rest: Any) -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple((action, {"status": status, **rest}) for status in statuses)


BOOT = ("BootNotification", {"chargePointVendor": "Raw", "chargePointModel": "One"})
STATUS: tuple[str, dict[str, Any]] = (
    "StatusNotification",
    {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
)


def install(kind: str) -> Asked:
    return Asked("InstallCertificate", {"certificateType": kind, "certificate": PEM}, OK)


def change(key: str, value: str, status: str) -> Asked:
    return Asked("ChangeConfiguration", {"key": key, "value": value}, {"status": status})


def local_list(update: str, status: str) -> Asked:
    payload = {"listVersion": 1, "updateType": update, "localAuthorizationList": LIST}
    return Asked("SendLocalList", payload, {"status": status})


def reserve_now(status: str) -> Asked:
    payload = {"connectorId": 1, "expiryDate": LATER, "idTag": "CARD1", "reservationId": 1}
    return Asked("ReserveNow", payload, {"status": status})


def signed_firmware(*statuses: str) -> Asked:
    told_of_it = told("SignedFirmwareStatusNotification", *statuses, requestId=1)
    return Asked("SignedUpdateFirmware", SIGNED, OK, told_of_it)


UNLOCK = {"connectorId": 1}
KEYS = {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]}
ASKED = {
    "TC_017_1": Asked("UnlockConnector", UNLOCK, {"status": "Unlocked"}),
    "TC_017_2": Asked("UnlockConnector", UNLOCK, {"status": "NotSupported"}),
    "TC_019_1": Asked("GetConfiguration", {}, KEYS),
    "TC_019_2": Asked("GetConfiguration", {"key": ["HeartbeatInterval"]}, KEYS),
    "TC_021": change("MeterValueSampleInterval", "15", "Accepted"),
    "TC_030": Asked("UnlockConnector", UNLOCK, {"status": "UnlockFailed"}),
    "TC_031": Asked("UnlockConnector", {"connectorId": 9}, {"status": "NotSupported"}),
    "TC_040_1": change("NoSuchKey", "1", "NotSupported"),
    "TC_040_2": change("MeterValueSampleInterval", "-1", "Rejected"),
    "TC_042_2": Asked("GetLocalListVersion", {}, {"listVersion": 0}),
    "TC_043_1": local_list("Full", "NotSupported"),
    "TC_043_3": local_list("Full", "Failed"),
    "TC_043_4": local_list("Full", "Accepted"),
    "TC_043_5": local_list("Differential", "Accepted"),
    "TC_044_1": Asked(
        "UpdateFirmware",
        FIRMWARE,
        {},
        (
            *told("FirmwareStatusNotification", "Downloading", "Downloaded", "Installing"),
            BOOT,
            *told("FirmwareStatusNotification", "Installed"),
        ),
    ),
    "TC_044_2": Asked(
        "UpdateFirmware", FIRMWARE, {}, told("FirmwareStatusNotification", "Downloading", "DownloadFailed")
    ),
    "TC_044_3": Asked(
        "UpdateFirmware",
        FIRMWARE,
        {},
        told("FirmwareStatusNotification", "Downloading", "Downloaded", "Installing", "InstallationFailed"),
    ),
    "TC_045_1": Asked(
        "GetDiagnostics",
        {"location": "ftp://files/"},
        {"fileName": "a.log"},
        told("DiagnosticsStatusNotification", "Uploading", "Uploaded"),
    ),
    "TC_045_2": Asked(
        "GetDiagnostics",
        {"location": "ftp://files/"},
        {"fileName": "a.log"},
        told("DiagnosticsStatusNotification", "Uploading", "UploadFailed"),
    ),
    "TC_048_1": reserve_now("Faulted"),
    "TC_048_2": reserve_now("Occupied"),
    "TC_048_3": reserve_now("Unavailable"),
    "TC_048_4": reserve_now("Rejected"),
    "TC_052": Asked("CancelReservation", {"reservationId": 9}, NO),
    "TC_054": Asked("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}, OK, (STATUS,)),
    "TC_055": Asked("TriggerMessage", {"requestedMessage": "MeterValues"}, NO),
    "TC_056": Asked("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE}, OK),
    "TC_059": Asked("RemoteStartTransaction", {"connectorId": 1, "idTag": "CARD1", "chargingProfile": TX_PROFILE}, OK),
    "TC_061": Asked("ClearCache", {}, OK),
    "TC_066": Asked("GetCompositeSchedule", {"connectorId": 1, "duration": 300}, OK),
    "TC_067": Asked("ClearChargingProfile", {"id": 1}, OK),
    "TC_075_1": install("ManufacturerRootCertificate"),
    "TC_075_2": install("CentralSystemRootCertificate"),
    "TC_076": Asked("DeleteCertificate", {"certificateHashData": HASH}, OK),
    "TC_079": Asked(
        "GetLog",
        LOG,
        {"status": "Accepted", "filename": "sec.log"},
        told("LogStatusNotification", "Uploading", "Uploaded", requestId=1),
    ),
    "TC_080": signed_firmware(
        "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"
    ),
    "TC_081": signed_firmware("Downloading", "Downloaded", "InvalidSignature"),
}
