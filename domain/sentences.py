"""English that remembers what it was made of, so that an adapter can say the same in another language."""


class Sentence(str):
    """A sentence for a driver or an operator: whole, with named holes, and the facts that fill them.

    It is its English text wherever text is wanted; `str()` of it is that text alone.
    """

    key: str
    """The sentence with its holes."""
    facts: dict[str, object]

    def __new__(cls, key: str, **facts: object) -> "Sentence":
        made = super().__new__(cls, key.format(**facts) if facts else key)
        made.key, made.facts = key, facts
        return made


CHARGED = Sentence("Charging at {charger}, connector {number}, {energy} kWh")
CORRECTED = Sentence("Correction: charging at {charger}, connector {number}, {energy} kWh")
GIVEN_BACK = Sentence("Given back of a charge at {charger}, connector {number}: {why}")
IDLED = Sentence("Idling at {charger}, connector {number}")
PAID_OWED = Sentence("Paid what an earlier charge left owed")
RECHARGED = Sentence("Payment with PhonePe")
RECHARGED_BEFORE = Sentence("Recharge with PhonePe")
ANOTHER_AMOUNT = Sentence("Paid with PhonePe, another amount than asked for")
ON_ITS_WAY = Sentence("On its way back to where you paid from: banks need 5 to 7 working days")
ON_ITS_WAY_BEFORE = Sentence("On its way back to where you paid from")
PAID_BACK = Sentence("Paid back to where you paid from")
NOT_PAID_BACK = Sentence("PhonePe could not pay it back")
CAME_BACK = Sentence("Back in your wallet: PhonePe could not pay it back")
GIVEN_UP = Sentence("Given up when the account was deleted")

BOOKED = (
    CHARGED, CORRECTED, GIVEN_BACK, IDLED, PAID_OWED, RECHARGED, RECHARGED_BEFORE, ANOTHER_AMOUNT, ON_ITS_WAY,
    ON_ITS_WAY_BEFORE, PAID_BACK, NOT_PAID_BACK, CAME_BACK, GIVEN_UP,
)  # fmt: skip
"""What the ledger says of a movement. It stays as it was booked, in English; an adapter that speaks another language
finds its sentence here again. A changed sentence stays in the list beside the new one."""
