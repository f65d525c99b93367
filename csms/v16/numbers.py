"""Which numbers of a charger are believed, so that none breaks a query or opens a thousand connectors."""

from typing import Any

from domain.chargers import MOST_CONNECTORS
from domain.local_lists import VERSIONS
from domain.reservations import NUMBERS
from domain.stops import TRANSACTIONS


def transaction_id(told: dict[str, Any]) -> int | None:
    """The transaction a message names; None for one that nobody can have been given (ocpp.md Q21, Q22)."""
    number: int = told.get("transactionId", 0)
    return number if number in TRANSACTIONS else None


def connector(told: dict[str, Any]) -> int | None:
    """The connector a message names, 0 for the charger as a whole (OCPP 1.6, 4.9, ocpp.md Q44); None for nonsense."""
    number: int = told.get("connectorId", -1)
    return number if 0 <= number <= MOST_CONNECTORS else None


def reservation_id(told: dict[str, Any]) -> int | None:
    """The reservation a message names; None for one that none can have: a start that names it must not fail."""
    number = told.get("reservationId")
    return number if isinstance(number, int) and number in NUMBERS else None


def list_version(told: dict[str, Any]) -> int | None:
    """The version of a local list that a message names; None for one that none can have, and for no number."""
    version = told.get("listVersion")
    return version if isinstance(version, int) and version in VERSIONS else None
