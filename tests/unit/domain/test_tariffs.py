"""Which price is in force, where and when."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from domain import chargers, tariffs
from domain.models import now
from domain.settings import settings
from domain.tariffs import Price


@pytest.fixture(autouse=True)
def known(db: Session) -> None:
    chargers.add(db, "BLR-1")
    chargers.add(db, "BLR-2")


def rate(db: Session, charger_id: str = "BLR-1", hours: float = 0) -> int:
    return tariffs.price(db, charger_id, now() + timedelta(hours=hours)).paise_per_kwh


def test_without_any_the_settings_say(db: Session) -> None:
    assert tariffs.price(db, "BLR-1", now()) == Price(1_800, 0)


def test_the_common_one_is_for_all(db: Session) -> None:
    tariffs.set_price(db, 2_100)
    assert (rate(db), rate(db, "BLR-2")) == (2_100, 2_100)


def test_a_chargers_own_goes_before_the_common_one_even_if_older(db: Session) -> None:
    tariffs.set_price(db, 2_500, charger_id="BLR-1")
    tariffs.set_price(db, 2_100)
    assert (rate(db), rate(db, "BLR-2")) == (2_500, 2_100)


def test_the_latest_in_force_counts_and_the_future_waits(db: Session) -> None:
    tariffs.set_price(db, 1_000, effective_at=now() - timedelta(hours=2))
    tariffs.set_price(db, 1_100, effective_at=now() - timedelta(hours=1))
    tariffs.set_price(db, 1_200, effective_at=now() + timedelta(hours=1))
    assert [rate(db, hours=h) for h in (-3, -1.5, 0, 1.5)] == [1_800, 1_000, 1_100, 1_200]


def test_of_two_from_the_same_moment_the_later_word_counts(db: Session) -> None:
    moment = now()
    tariffs.set_price(db, 1_000, effective_at=moment)
    tariffs.set_price(db, 1_100, effective_at=moment)
    assert rate(db) == 1_100


def test_free_is_a_price_and_less_is_none(db: Session) -> None:
    tariffs.set_price(db, 0)
    assert rate(db) == 0
    with pytest.raises(ValueError, match="negative"):
        tariffs.set_price(db, -1)


def test_gst_only_with_a_gstin(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    tariffs.set_price(db, 2_000)
    assert tariffs.price(db, "BLR-1", now()) == Price(2_000, 0)
    monkeypatch.setattr(settings(), "seller_gstin", "29ABCDE1234F1Z5")
    assert tariffs.price(db, "BLR-1", now()) == Price(2_000, 1_800)


def test_a_price_computes(db: Session) -> None:
    assert Price(1_850, 1_800).cost(2_345) == 4_338
    assert Price(1_850, 1_800).gst(4_338) == 662
