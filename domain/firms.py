"""The firm a driver charges for: registered for GST, so that invoices are made out to it (rule 46(d))."""

import unicodedata
from collections.abc import Mapping

from sqlmodel import Session

from domain import gst
from domain.accounts import FieldErrors
from domain.models import Firm
from domain.sentences import Sentence

LONGEST = {"name": 100, "address": 200}
"""Characters of what stands on invoices beside the GSTIN."""
NO_GSTIN = Sentence(
    "This is no GSTIN: it has 15 characters, begins with the number of its state, and its last character checks the "
    "others. Compare it with the registration."
)
MISSING = {
    "name": Sentence("Enter the name on the GST registration."),
    "address": Sentence("Enter the address on the GST registration."),
}


def of(db: Session, user_id: int) -> Firm | None:
    """The firm the driver charges for; None when he told of none."""
    return db.get(Firm, user_id)


def save(db: Session, user_id: int, typed: Mapping[str, object]) -> Firm | None:
    """Keep the firm as it was typed: `gstin`, `name` and `address`; all empty forgets it.

    Raises:
        FieldErrors: for a GSTIN that is none, and for each of the others that is missing: an invoice needs all three.
    """
    gstin = "".join(_line(typed.get("gstin")).upper().split())
    values = {field: _line(typed.get(field))[:most] for field, most in LONGEST.items()}
    firm = of(db, user_id)
    if not gstin and not any(values.values()):
        if firm is not None:
            db.delete(firm)
        return None
    errors = {} if gst.is_gstin(gstin) else {"gstin": NO_GSTIN}
    errors |= {field: MISSING[field] for field, value in values.items() if not value}
    if errors:
        raise FieldErrors(errors)
    firm = firm or Firm(user_id=user_id)
    firm.gstin, firm.name, firm.address = gstin, values["name"], values["address"]
    db.add(firm)
    return firm


def _line(typed: object) -> str:
    """In one line, without what cannot be printed."""
    text = unicodedata.normalize("NFKC", typed) if isinstance(typed, str) else ""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
