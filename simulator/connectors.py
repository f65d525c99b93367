"""One connector: the cable, the car, the card, and the transaction they make (OCPP 1.6 sections 4.8 to 4.10)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from simulator.meter import Meter
from simulator.outbox import TransactionNumber
from simulator.record import Payload

if TYPE_CHECKING:
    from simulator.chargers import VirtualCharger

NO_ERROR = "NoError"
ERROR_CODES = (
    "ConnectorLockFailure",
    "EVCommunicationError",
    "GroundFailure",
    "HighTemperature",
    "InternalError",
    "LocalListConflict",
    "OtherError",
    "OverCurrentFailure",
    "OverVoltage",
    "PowerMeterFailure",
    "PowerSwitchFailure",
    "ReaderFailure",
    "ResetFailure",
    "UnderVoltage",
    "WeakSignal",
)
"""What can be wrong with a connector (1.6 section 7.6)."""
NEVER_NUMBERED = -1
"""The transaction id some chargers use when StartTransaction could never be delivered."""
UNSAMPLED_SECONDS = 10
"""How often the power moves when the charger is set to send no samples."""


class Impossible(Exception):
    """What was asked of the hardware cannot happen; the message is a sentence for the person who asked."""


@dataclass(eq=False)
class Card:
    """An identification that was accepted and waits for a cable."""

    id_tag: str


@dataclass(eq=False, kw_only=True)
class Transaction(TransactionNumber):
    """A charge as the charger knows it. Its `id` comes from the central system, perhaps much later."""

    id_tag: str
    meter_start_wh: int
    first_sample: tuple[Payload, ...]


class Connector:
    """What hands and cars do to a connector, and what the charger says about it. Number 0 is the whole charger."""

    def __init__(self, charger: "VirtualCharger", number: int, meter: Meter) -> None:
        self._charger, self.number, self.meter = charger, number, meter
        self.plugged = False
        self.operative = True
        self.inoperative_afterwards = False
        self.error_code = NO_ERROR
        self.card: Card | None = None
        self.transaction: Transaction | None = None
        self.finished = False
        self.ev_paused = False
        self.evse_paused = False
        self._announced: tuple[str, str] | None = None

    @property
    def status(self) -> str:
        """The ChargePointStatus that follows from cable, car, card and faults (1.6 section 4.9)."""
        if self.error_code != NO_ERROR:
            return "Faulted"
        if self.transaction:
            if self.evse_paused:
                return "SuspendedEVSE"
            return "Charging" if self.plugged and not self.ev_paused else "SuspendedEV"
        if not self.operative:
            return "Unavailable"
        if self.finished:
            return "Finishing"
        return "Preparing" if self.plugged or self.card else "Available"

    @property
    def startable(self) -> bool:
        """Whether a card or the central system may start a charge here now."""
        return self.number > 0 and self.status in ("Available", "Preparing") and self.card is None

    # What hands do.

    def plug(self) -> None:
        """Put the cable into a car.

        Raises:
            Impossible: there is a cable in it already.
        """
        if self.plugged:
            raise Impossible(f"{self._name} already has a car plugged in.")
        self.plugged = True
        if self.transaction is None:
            self.meter.new_car()
        self.changed()
        self._begin_if_ready()

    def unplug(self) -> None:
        """Pull the cable; a running charge ends or waits, as StopTransactionOnEVSideDisconnect says.

        Raises:
            Impossible: there is no cable in a car.
        """
        if not self.plugged:
            raise Impossible(f"{self._name} has no car plugged in.")
        self.plugged = self.finished = self.ev_paused = False
        if self.transaction and self._charger.keys.true("StopTransactionOnEVSideDisconnect"):
            self.end("EVDisconnected")
        else:
            self.changed()

    def press_stop(self) -> None:
        """Press the button on the charger.

        Raises:
            Impossible: nothing is charging.
        """
        if self.transaction is None:
            raise Impossible(f"{self._name} is not charging.")
        self.end("Local")

    def fault(self, error_code: str, *, ends_charge: bool = True) -> None:
        """Break. The fault is told first; then the charge ends, unless the charger is one that leaves it open.

        Raises:
            Impossible: OCPP has no such error code.
        """
        if error_code not in ERROR_CODES:
            raise Impossible(f"{error_code!r} is no error of OCPP 1.6. There are: {', '.join(ERROR_CODES)}.")
        self.error_code = error_code
        self.card = None
        self.changed()
        if self.transaction and ends_charge:
            self.end("Other")

    def repair(self) -> None:
        """Work again."""
        self.error_code = NO_ERROR
        self.changed()

    def suspend_ev(self) -> None:
        """The car takes no more for now.

        Raises:
            Impossible: nothing is charging.
        """
        if self.transaction is None:
            raise Impossible(f"{self._name} is not charging.")
        self.ev_paused = True
        self.changed()

    def resume_ev(self) -> None:
        """The car takes energy again."""
        self.ev_paused = False
        self.changed()

    # What cards and the central system do.

    def allow(self, id_tag: str) -> None:
        """Start for this tag as soon as there is a cable, within ConnectionTimeOut."""
        self.card = Card(id_tag)
        self._charger.spawn(self._let_lapse(self.card))
        self.changed()
        self._begin_if_ready()

    def set_operative(self, operative: bool) -> str:
        """Give the AvailabilityStatus: a running charge is never cut short by it (1.6 section 5.2)."""
        if self.transaction and not operative:
            self.inoperative_afterwards = True
            return "Scheduled"
        self.operative, self.inoperative_afterwards = operative, False
        self.changed()
        return "Accepted"

    def end(self, reason: str, *, id_tag: str | None = None) -> None:
        """End the running charge and tell it with the register of this moment (1.6 section 4.10)."""
        transaction, now = self.transaction, self._charger.clock.now()
        assert transaction is not None
        stop: Payload = {"meterStop": self.meter.read(now), "timestamp": timestamp(now), "reason": reason}
        if id_tag:
            stop["idTag"] = id_tag
        if data := [*transaction.first_sample, *self._stop_data("Transaction.End", now)]:
            stop["transactionData"] = data
        self._charger.outbox.keep("StopTransaction", stop, transaction)
        used_wh = stop["meterStop"] - transaction.meter_start_wh
        self._charger.say(f"connector {self.number}: charge ended after {used_wh} Wh ({reason})")
        self.transaction = None
        self.finished = self.plugged
        self.ev_paused = self.evse_paused = False
        if self.inoperative_afterwards:
            self.operative, self.inoperative_afterwards = False, False
        self.changed()

    def send_sample(self, context: str) -> None:
        """Tell what the meter shows now."""
        now = self._charger.clock.now()
        values = self.meter.sample(self._charger.keys.names("MeterValuesSampledData"), context, now)
        if not values:
            return
        payload = {
            "connectorId": self.number,
            "meterValue": [{"timestamp": timestamp(now), "sampledValue": values}],
        }
        if self.transaction:
            self._charger.outbox.keep("MeterValues", payload, self.transaction)
        elif self._charger.online:
            self._charger.outbox.tell("MeterValues", payload)

    def changed(self) -> None:
        """Let energy follow the new state, and tell the state."""
        self.meter.draw(self.status == "Charging", self._charger.clock.now())
        self.announce()
        self._charger.record.changed()

    def announce(self, *, again: bool = False) -> None:
        """Send a StatusNotification if it says something new, or asked for again."""
        state = (self.status, self.error_code)
        if not self._charger.online or (state == self._announced and not again):
            return
        self._announced = state
        why = "" if self.error_code == NO_ERROR else f" ({self.error_code})"
        self._charger.say(f"connector {self.number}: {self.status}{why}")
        self._charger.outbox.tell(
            "StatusNotification",
            {
                "connectorId": self.number,
                "status": self.status,
                "errorCode": self.error_code,
                "timestamp": timestamp(self._charger.clock.now()),
            },
            self._was_announced,
        )

    def lose_power(self) -> None:
        """Forget what a charger does not remember without power."""
        self.card = None
        if self.transaction:
            self.end("PowerLoss")

    @property
    def _name(self) -> str:
        return f"{self._charger.identity} connector {self.number}"

    def _was_announced(self, answer: Payload | None) -> None:
        if answer is None:
            self._announced = None

    def _begin_if_ready(self) -> None:
        if not (self.card and self.plugged and self.status == "Preparing"):
            return
        now = self._charger.clock.now()
        card, self.card = self.card, None
        self.transaction = Transaction(
            id_tag=card.id_tag,
            meter_start_wh=self.meter.read(now),
            first_sample=self._stop_data("Transaction.Begin", now),
        )
        self._charger.outbox.keep(
            "StartTransaction",
            {
                "connectorId": self.number,
                "idTag": card.id_tag,
                "meterStart": self.transaction.meter_start_wh,
                "timestamp": timestamp(now),
            },
            self.transaction,
            partial(self._started, self.transaction),
        )
        self._charger.spawn(self._measure(self.transaction))
        self.changed()

    def _started(self, transaction: Transaction, answer: Payload | None) -> None:
        if answer is None:
            transaction.id = NEVER_NUMBERED
            return
        transaction.id = answer["transactionId"]
        self._charger.say(f"connector {self.number}: charge {transaction.id} began for {transaction.id_tag}")
        if answer["idTagInfo"]["status"] == "Accepted" or self.transaction is not transaction:
            return
        if self._charger.keys.true("StopTransactionOnInvalidId"):
            self.end("DeAuthorized")
        else:
            self.evse_paused = True
            self.changed()

    async def _measure(self, transaction: Transaction) -> None:
        """Sample for as long as the charge runs; a full car suspends it."""
        while True:
            await self._charger.clock.sleep(self._charger.sample_seconds or UNSAMPLED_SECONDS)
            if self.transaction is not transaction:
                return
            if self._charger.sample_seconds:
                self.send_sample("Sample.Periodic")
            self.meter.step()
            if self.meter.full and not self.ev_paused:
                self.suspend_ev()

    async def _let_lapse(self, card: Card) -> None:
        await self._charger.clock.sleep(self._charger.keys.number("ConnectionTimeOut"))
        if self.card is card:
            self._charger.say(f"connector {self.number}: nobody plugged in")
            self.card = None
            self.changed()

    def _stop_data(self, context: str, now: datetime) -> tuple[Payload, ...]:
        values = self.meter.sample(self._charger.keys.names("StopTxnSampledData"), context, now)
        return ({"timestamp": timestamp(now), "sampledValue": values},) if values else ()


def timestamp(at: datetime) -> str:
    """The time as OCPP likes it: UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
