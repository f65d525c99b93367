"""A charger's configuration keys: what they hold, who may change them, and what a good value is."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from simulator.record import Payload

ENERGY = "Energy.Active.Import.Register"


def _whole(value: str) -> bool:
    return value.isascii() and value.isdigit()


def _truth(value: str) -> bool:
    return value.lower() in ("true", "false")


def _nothing(value: str) -> bool:
    return value in ("", "0")


def _hex_key(value: str) -> bool:
    return len(value) in range(32, 41) and all(digit in "0123456789abcdefABCDEF" for digit in value)


def _anything(value: str) -> bool:
    return True


@dataclass(frozen=True)
class Key:
    """One row of the table: `access` is read, write, hidden (never told) or reboot (works after the next boot)."""

    value: str
    good: Callable[[str], bool] = _anything
    access: str = "write"


KEYS = {
    "AllowOfflineTxForUnknownId": Key("false", _truth),
    "AuthorizationCacheEnabled": Key("true", _truth),
    "AuthorizationKey": Key("", _hex_key, "hidden"),
    "AuthorizeRemoteTxRequests": Key("false", _truth),
    "ClockAlignedDataInterval": Key("0", _nothing),
    "ConnectionTimeOut": Key("60", _whole),
    "ConnectorPhaseRotation": Key("0.Unknown", _anything, "read"),
    "GetConfigurationMaxKeys": Key("50", _whole, "read"),
    "HeartbeatInterval": Key("300", _whole),
    "LocalAuthorizeOffline": Key("true", _truth),
    "LocalPreAuthorize": Key("false", _truth),
    "MeterValueSampleInterval": Key("10", _whole),
    "MeterValuesAlignedData": Key("", _nothing),
    "MeterValuesSampledData": Key(ENERGY),
    "NumberOfConnectors": Key("1", _whole, "read"),
    "ResetRetries": Key("1", _whole),
    "StopTransactionOnEVSideDisconnect": Key("true", _truth),
    "StopTransactionOnInvalidId": Key("true", _truth),
    "StopTxnAlignedData": Key("", _nothing),
    "StopTxnSampledData": Key(""),
    "SupportedFeatureProfiles": Key("Core,RemoteTrigger", _anything, "read"),
    "TransactionMessageAttempts": Key("3", _whole),
    "TransactionMessageRetryInterval": Key("30", _whole),
    "UnlockConnectorOnEVSideDisconnect": Key("true", _truth),
    "WebSocketPingInterval": Key("60", _whole, "reboot"),
}
"""OCPP 1.6 section 9, as far as this charger implements it; a key that is not here is NotSupported."""

MEASURAND_LISTS = ("MeterValuesSampledData", "StopTxnSampledData")


class Keys:
    """The keys of one charger. Values are text, as on the wire."""

    def __init__(self, measurands: Collection[str], initial: Mapping[str, str], locked: Collection[str] = ()) -> None:
        self._measurands, self._locked = measurands, locked
        self._values = {name: key.value for name, key in KEYS.items()}
        self._values["MeterValuesSampledData"] = ",".join(measurands)
        for name, value in initial.items():
            if name not in KEYS:
                raise KeyError(f"This charger has no configuration key {name}.")
            self._values[name] = value

    def text(self, name: str) -> str:
        return self._values[name]

    def number(self, name: str) -> int:
        return int(self._values[name])

    def true(self, name: str) -> bool:
        return self._values[name].lower() == "true"

    def names(self, name: str) -> list[str]:
        """The members of a comma separated list."""
        return [member.strip() for member in self._values[name].split(",") if member.strip()]

    def put(self, name: str, value: str) -> None:
        """Set a key from the inside, read-only or not."""
        self._values[name] = value

    def change(self, name: str, value: str) -> str:
        """Set a key from the outside and give the ConfigurationStatus (1.6 section 5.3)."""
        key = KEYS.get(name)
        if key is None:
            return "NotSupported"
        if key.access == "read" or name in self._locked or not key.good(value):
            return "Rejected"
        # One unsupported measurand makes the charger refuse the whole list (1.6 section 3.16.4).
        if name in MEASURAND_LISTS and not {part.strip() for part in value.split(",") if part} <= {*self._measurands}:
            return "Rejected"
        self._values[name] = value
        return "RebootRequired" if key.access == "reboot" else "Accepted"

    def configuration(self, wanted: list[str]) -> Payload:
        """Answer GetConfiguration; an empty wish means everything (1.6 section 5.8)."""
        told = [name for name in KEYS if KEYS[name].access != "hidden" and (not wanted or name in wanted)]
        answer: Payload = {"configurationKey": [self._told(name) for name in told]}
        if unknown := [name for name in wanted if name not in told]:
            answer["unknownKey"] = unknown
        return answer

    def _told(self, name: str) -> Payload:
        readonly = KEYS[name].access == "read" or name in self._locked
        return {"key": name, "readonly": readonly, "value": self._values[name]}
