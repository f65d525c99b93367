"""What the domain wants of a charger, in the words of OCPP 1.6."""

from typing import Any

from csms.calls import Urgency
from domain.events import Call, Command, RemoteStart, RemoteStop

SECONDS = {"GetConfiguration": 10.0, "ChangeConfiguration": 10.0, "TriggerMessage": 10.0}
"""How long a charger may take to answer; no set-up may keep a driver waiting for long (ocpp.md Q17)."""
SECONDS_DEFAULT = 30.0


def seconds(action: str) -> float:
    return SECONDS.get(action, SECONDS_DEFAULT)


def translate(command: Command) -> tuple[str, dict[str, Any], Urgency]:
    """The action, its payload and who waits for it. A start always names its connector (OCPP 1.6, 5.11)."""
    match command:
        case RemoteStart(connector_number, tag):
            return "RemoteStartTransaction", {"connectorId": connector_number, "idTag": tag}, Urgency.DRIVER
        case RemoteStop(transaction_id):
            return "RemoteStopTransaction", {"transactionId": transaction_id}, Urgency.DRIVER
        case Call(action, payload):
            return action, payload, Urgency.OPERATOR
