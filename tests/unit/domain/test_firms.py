"""The firm of a driver: what is kept of it, and what an invoice cannot do without."""

import pytest
from sqlmodel import Session

from domain import firms
from domain.accounts import FieldErrors
from domain.models import User

TYPED = {"gstin": "33AABCK4567Q1Z1", "name": "Kaveri Cabs Private Limited", "address": "7 Anna Salai, Chennai 600002"}


def _driver(db: Session) -> int:
    user = User(username="asha", phone="+919845012345", pin_hash="")
    db.add(user)
    db.flush()
    return user.id


def _kept(db: Session, user_id: int) -> dict[str, str] | None:
    firm = firms.of(db, user_id)
    return firm and {"gstin": firm.gstin, "name": firm.name, "address": firm.address}


def test_a_firm_is_kept_changed_and_forgotten(db: Session) -> None:
    user = _driver(db)
    assert _kept(db, user) is None
    firms.save(db, user, TYPED)
    assert _kept(db, user) == TYPED
    firms.save(db, user, {**TYPED, "gstin": "29AABCK4567Q1ZQ"})
    assert _kept(db, user) == {**TYPED, "gstin": "29AABCK4567Q1ZQ"}
    firms.save(db, user, {"gstin": " ", "name": "", "other": "x"})
    db.flush()
    assert _kept(db, user) is None


def test_however_it_is_typed_it_has_one_spelling(db: Session) -> None:
    user = _driver(db)
    firms.save(db, user, {"gstin": " 33aabck 4567q１z1", "name": "Kaveri\n Cabs\u200b ", "address": f"{'7' * 300}\0"})
    assert _kept(db, user) == {"gstin": TYPED["gstin"], "name": "Kaveri Cabs", "address": "7" * 200}


@pytest.mark.parametrize(
    "gstin", ["", "33AABCK4567Q1Z2", "99AABCK4567Q1Z1", "AABCK4567Q", "33AABCK4567Q1Z11", 33, None]
)
def test_a_gstin_that_is_none_is_refused(db: Session, gstin: object) -> None:
    user = _driver(db)
    with pytest.raises(FieldErrors) as refused:
        firms.save(db, user, {**TYPED, "gstin": gstin})
    assert refused.value.errors == {"gstin": firms.NO_GSTIN}
    assert _kept(db, user) is None


def test_an_invoice_needs_name_and_address_too(db: Session) -> None:
    user = _driver(db)
    with pytest.raises(FieldErrors) as refused:
        firms.save(db, user, {"gstin": TYPED["gstin"], "name": "\u200b", "address": ["x"]})
    assert refused.value.errors == firms.MISSING
    with pytest.raises(FieldErrors) as refused:
        firms.save(db, user, {"gstin": "x"})
    assert list(refused.value.errors) == ["gstin", "name", "address"], "the focus goes to the first"
