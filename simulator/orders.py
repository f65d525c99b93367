"""What the central system may ask of a charger, one function an action (OCPP 1.6 section 5)."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from simulator.connectors import Connector
from simulator.link import Answer, CallError
from simulator.record import Payload

if TYPE_CHECKING:
    from simulator.chargers import VirtualCharger

Order = Callable[["VirtualCharger", Payload], Answer]


def obey(charger: "VirtualCharger", action: str, payload: Payload) -> Answer:
    """Do what was asked.

    Raises:
        CallError: this charger does not know the action (NotImplemented: OCPP-J 1.6, Table 7).
    """
    order = ORDERS.get(action)
    if order is None:
        raise CallError("NotImplemented", f"This charger does not know {action}.")
    return order(charger, payload)


def _status(status: str, then: Callable[[], None] | None = None) -> Answer:
    return Answer({"status": status}, then)


def _change_availability(charger: "VirtualCharger", payload: Payload) -> Answer:
    """Connector 0 means all of them; one running charge makes the whole answer Scheduled."""
    number, operative = payload["connectorId"], payload["type"] == "Operative"
    if number not in range(len(charger.everything)):
        return _status("Rejected")
    asked = charger.everything if number == 0 else [charger.connector(number)]
    # Announced only after the answer, as the messages of a serial charger are.
    if not operative and any(connector.transaction for connector in asked):
        return _status("Scheduled", lambda: _set_operative(asked, operative))
    return _status("Accepted", lambda: _set_operative(asked, operative))


def _set_operative(connectors: list[Connector], operative: bool) -> None:
    for connector in connectors:
        connector.set_operative(operative)


def _change_configuration(charger: "VirtualCharger", payload: Payload) -> Answer:
    key, value = payload["key"], payload["value"]
    status = charger.keys.change(key, value)
    if key == "AuthorizationKey" and status == "Accepted":
        charger.password = bytes.fromhex(value)
    return _status(status)


def _clear_cache(charger: "VirtualCharger", payload: Payload) -> Answer:
    charger.reader.known_tags.clear()
    return _status("Accepted")


def _data_transfer(charger: "VirtualCharger", payload: Payload) -> Answer:
    return _status("UnknownVendorId")


def _get_configuration(charger: "VirtualCharger", payload: Payload) -> Answer:
    return Answer(charger.keys.configuration(payload.get("key", [])))


def _remote_start(charger: "VirtualCharger", payload: Payload) -> Answer:
    """Without a connector the first free one is taken; while not accepted nothing starts (1.6 section 4.2)."""
    number = payload.get("connectorId")
    wanted = charger.connectors if number is None else [c for c in charger.connectors if c.number == number]
    connector = next((connector for connector in wanted if connector.startable), None)
    if connector is None or not charger.online:
        return _status("Rejected")
    return _status("Accepted", lambda: charger.reader.start_remotely(connector, payload["idTag"]))


def _remote_stop(charger: "VirtualCharger", payload: Payload) -> Answer:
    for connector in charger.connectors:
        if connector.transaction and connector.transaction.id == payload["transactionId"]:
            return _status("Accepted", partial(_end, connector, "Remote"))
    return _status("Rejected")


def _reset(charger: "VirtualCharger", payload: Payload) -> Answer:
    return _status("Accepted", lambda: charger.reset(payload["type"]))


def _trigger(charger: "VirtualCharger", payload: Payload) -> Answer:
    """The answer comes before the message that was asked for (1.6 section 5.17)."""
    message, number = payload["requestedMessage"], payload.get("connectorId")
    if message not in TRIGGERS:
        return _status("NotImplemented")
    if number is not None and number not in range(len(charger.everything)):
        return _status("Rejected")
    if not charger.online and message != "BootNotification":
        return _status("Rejected")
    return _status("Accepted", lambda: TRIGGERS[message](charger, number))


def _unlock(charger: "VirtualCharger", payload: Payload) -> Answer:
    """A running charge ends first (1.6 section 5.18)."""
    connector = next((c for c in charger.connectors if c.number == payload["connectorId"]), None)
    if connector is None:
        return _status("NotSupported")
    return _status("Unlocked", partial(_end, connector, "UnlockCommand"))


def _end(connector: Connector, reason: str) -> None:
    if connector.transaction:
        connector.end(reason)


def _tell_boot(charger: "VirtualCharger", number: int | None) -> None:
    charger.boot_again()


def _tell_heartbeat(charger: "VirtualCharger", number: int | None) -> None:
    charger.outbox.tell("Heartbeat", {})


def _tell_status(charger: "VirtualCharger", number: int | None) -> None:
    for connector in charger.everything:
        if number in (None, connector.number):
            connector.announce(again=True)


def _tell_meter(charger: "VirtualCharger", number: int | None) -> None:
    for connector in charger.connectors:
        if number in (None, connector.number):
            connector.send_sample("Trigger")


TRIGGERS = {
    "BootNotification": _tell_boot,
    "Heartbeat": _tell_heartbeat,
    "MeterValues": _tell_meter,
    "StatusNotification": _tell_status,
}

ORDERS: dict[str, Order] = {
    "ChangeAvailability": _change_availability,
    "ChangeConfiguration": _change_configuration,
    "ClearCache": _clear_cache,
    "DataTransfer": _data_transfer,
    "GetConfiguration": _get_configuration,
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "Reset": _reset,
    "TriggerMessage": _trigger,
    "UnlockConnector": _unlock,
}
