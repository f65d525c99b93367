"""What is known of makes of chargers that differ from the others; as data, so that a new one is a line."""

NO_POWER, UNLOCK, OUT_OF_SERVICE = "no power", "unlock", "out of service"

ESCALATIONS: dict[str, tuple[str, ...]] = {
    "": (NO_POWER, UNLOCK),
    # Beny goes on until its one transaction ends otherwise; Ocular lets go of nothing it has not unlocked itself.
    "zj beny": (NO_POWER, OUT_OF_SERVICE),
    "beny": (NO_POWER, OUT_OF_SERVICE),
    "ocular": (NO_POWER, OUT_OF_SERVICE, UNLOCK),
}
"""By the beginning of a vendor's name, in lower case: what to do with a charger that does not stop (ocpp.md Q30)."""


def escalation(vendor: str) -> tuple[str, ...]:
    """The steps against a charger of this vendor that goes on although it agreed to stop."""
    make = vendor.strip().lower()
    return next((steps for name, steps in ESCALATIONS.items() if name and make.startswith(name)), ESCALATIONS[""])
