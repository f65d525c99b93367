"""What happened, and what to do: the words the adapters use with each other."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class ChargerChanged:
    """A charger came, went, or one of its connectors changed."""

    charger_id: str


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """A charge moved to another state, or what it may cost or hold changed."""

    session_id: int
    charger_id: str
    user_id: int | None
    state: str


class SessionMetered(msgspec.Struct, frozen=True, gc=False):
    """A charging session's newest figures. Energy in Wh since its start, cost in paise, power in W.

    One for every sample, so it is of the kind that is built fastest.
    """

    session_id: int
    charger_id: str
    user_id: int | None
    energy_wh: int
    cost_paise: int
    power_w: int
    at: datetime
    soc_percent: int | None = None


@dataclass(frozen=True, slots=True)
class WalletChanged:
    """A balance, a hold or arrears changed."""

    user_id: int


@dataclass(frozen=True, slots=True)
class RechargeChanged:
    """A recharge order moved to another state."""

    user_id: int
    merchant_order_id: str
    state: str


@dataclass(frozen=True, slots=True)
class ChargerFreed:
    """A charger that this driver waits for is free."""

    user_id: int
    charger_id: str


@dataclass(frozen=True, slots=True)
class SignedOut:
    """These sign-ins ended: their browsers get nothing any more."""

    token_hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChargerMustReconnect:
    """A charger may not stay connected as it came: it was retired, or its key changed."""

    charger_id: str


@dataclass(frozen=True, slots=True)
class HabitsChanged:
    """What is known of a charger's habits (domain/quirks.py) is another: how it counts, how often it is pinged."""

    charger_id: str


@dataclass(frozen=True, slots=True)
class ChargerTaken:
    """A charger that one process held has connected to another: whoever holds it under a smaller fence lets go."""

    charger_id: str
    fence: int


@dataclass(frozen=True, slots=True)
class Alone:
    """This process and the others no longer hear each other: Redis is gone. `NewsLost` follows when it is back."""


@dataclass(frozen=True, slots=True)
class NewsLost:
    """Events of other processes may have been lost until now: whoever keeps something in memory looks anew."""


@dataclass(frozen=True, slots=True)
class MessagesKept:
    """Messages of a charger that is traced were written into the journal."""

    charger_id: str


Event = (
    ChargerChanged
    | SessionChanged
    | SessionMetered
    | WalletChanged
    | RechargeChanged
    | ChargerFreed
    | SignedOut
    | ChargerMustReconnect
    | HabitsChanged
    | ChargerTaken
    | Alone
    | NewsLost
    | MessagesKept
)


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """Begin a transaction for this tag (OCPP 1.6, 5.11)."""

    connector_number: int
    tag: str


@dataclass(frozen=True, slots=True)
class RemoteStop:
    """End this transaction (OCPP 1.6, 5.12)."""

    transaction_id: int


@dataclass(frozen=True, slots=True)
class Call:
    """Any message of the protocol, by its own name and payload."""

    action: str
    payload: dict[str, Any] = field(default_factory=dict)


CALLS = (
    "CancelReservation",
    "CertificateSigned",
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearCache",
    "ClearChargingProfile",
    "DataTransfer",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetCompositeSchedule",
    "GetConfiguration",
    "GetDiagnostics",
    "GetInstalledCertificateIds",
    "GetLocalListVersion",
    "GetLog",
    "InstallCertificate",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SetChargingProfile",
    "SignedUpdateFirmware",
    "TriggerMessage",
    "UnlockConnector",
    "UpdateFirmware",
)
"""Every message of OCPP 1.6 and its security extension that a central system may send."""

Command = RemoteStart | RemoteStop | Call


@dataclass(frozen=True, slots=True)
class Reply:
    """What a charger answered."""

    status: str
    """Accepted, Rejected …; empty where the answer carries none."""
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        return self.status == "Accepted"
