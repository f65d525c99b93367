"""What OCPP 1.6 messages mean, in domain terms: every action of a charger beside the function that serves it."""

from csms.protocol import Protocol
from csms.v16 import boot, commands, hot, metering, notices, outcomes, schemas, setup, transactions

V16 = Protocol(
    handlers={
        "Authorize": transactions.authorize,
        "BootNotification": boot.boot_notification,
        "DataTransfer": notices.data_transfer,
        "DiagnosticsStatusNotification": notices.acknowledged,
        "FirmwareStatusNotification": notices.acknowledged,
        "Heartbeat": boot.heartbeat,
        "LogStatusNotification": notices.acknowledged,
        "MeterValues": metering.meter_values,
        "SecurityEventNotification": notices.security_event,
        "SignCertificate": notices.sign_certificate,
        "SignedFirmwareStatusNotification": notices.acknowledged,
        "StartTransaction": transactions.start_transaction,
        "StatusNotification": notices.status_notification,
        "StopTransaction": transactions.stop_transaction,
    },
    hot=hot.HOT,
    forgiving=frozenset(
        (
            "BootNotification",
            "DiagnosticsStatusNotification",
            "FirmwareStatusNotification",
            "Heartbeat",
            "LogStatusNotification",
            "MeterValues",
            "SecurityEventNotification",
            "SignedFirmwareStatusNotification",
            "StartTransaction",
            "StatusNotification",
            "StopTransaction",
        )
    ),
    boot="BootNotification",
    schema=schemas.schema,
    callable=schemas.CALLABLE,
    flaw=schemas.flaw,
    translate=commands.translate,
    seconds=commands.seconds,
    recorded=outcomes.recorded,
    resync=setup.resync,
)
