"""PINs: the guessable ones are refused, and a kept one tells nothing without the pepper."""

import asyncio
from datetime import date

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from domain import pins
from domain.settings import Settings, settings

PHONE = "+919845012345"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "COST", 4)


@pytest.mark.parametrize("pin", ["482913", "705318", "908273", "046182"])
def test_an_ordinary_pin_is_taken(pin: str) -> None:
    assert pins.refusal(pin, PHONE) == ""


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("", "6 digits"),
        ("12345", "6 digits"),
        ("4829137", "6 digits"),
        ("48291a", "6 digits"),
        ("४८२९१३", "6 digits"),
        ("４８２９１３", "6 digits"),
        ("482913\n", "6 digits"),
        (" 48291", "6 digits"),
        (None, "6 digits"),
        (482913, "6 digits"),
        (["482913"], "6 digits"),
        ("012345", "phone number"),
        ("984501", "phone number"),
        ("000000", "repeats"),
        ("110011", "repeats"),
        ("121212", "repeats"),
        ("482482", "repeats"),
        ("112299", "repeats"),
        ("123456", "counts"),
        ("567890", "counts"),
        ("987654", "counts"),
        ("135791", "counts"),
        ("482284", "backwards"),
        ("198412", "year"),
        ("482026", "year"),
        ("150847", "date"),
        ("310191", "date"),
        ("147258", "too many people"),
        ("123654", "too many people"),
    ],
)
def test_a_guessable_pin_is_refused_with_its_reason(pin: object, why: str) -> None:
    assert why in pins.refusal(pin, PHONE)


@given(st.dates(min_value=date(1930, 1, 1), max_value=date(2029, 12, 31)))
def test_no_birthday_is_taken(day: date) -> None:
    assert pins.refusal(f"{day:%d%m%y}", PHONE)


def test_most_pins_remain() -> None:
    taken = sum(not pins.refusal(f"{pin:06}", PHONE) for pin in range(0, 1_000_000, 7))
    assert taken / (1_000_000 / 7) > 0.9


def test_every_favourite_needs_the_list() -> None:
    rest = pins._RULES[:-1]
    assert not [pin for pin in pins.FAVOURITES if any(rule(pin) for rule, _ in rest)]


@pytest.mark.parametrize(("length", "good", "bad"), [(4, "4829", "1990"), (8, "48291375", "12345678")])
def test_the_operator_chooses_the_length(monkeypatch: pytest.MonkeyPatch, length: int, good: str, bad: str) -> None:
    monkeypatch.setattr(pins, "settings", lambda: Settings(pin_length=length))
    assert pins.refusal(good, PHONE) == ""
    assert pins.refusal(bad, PHONE)
    assert f"{length} digits" in pins.refusal("482913", PHONE)


async def test_only_the_pin_matches_what_is_kept() -> None:
    kept = await pins.hash("482913")
    assert "482913" not in kept
    assert await pins.matches("482913", kept)
    assert not await pins.matches("482914", kept)
    assert not await pins.matches("", kept)
    assert not await pins.matches("\ud800" * 10_000, kept)


async def test_the_same_pin_is_kept_differently_each_time() -> None:
    assert await pins.hash("482913") != await pins.hash("482913")


async def test_a_stolen_table_is_worthless_without_the_pepper(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = await pins.hash("482913")
    _, salt, hashed = kept.split("$", 2)
    assert not bcrypt.checkpw(b"482913", hashed.encode())
    assert not bcrypt.checkpw(f"{salt}482913".encode(), hashed.encode())
    other = settings().model_copy(update={"secret_key": SecretStr("another pepper, 32 characters long")})
    monkeypatch.setattr(pins, "settings", lambda: other)
    assert not await pins.matches("482913", kept)


async def test_nobody_costs_the_same_work_as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    settings_used = []
    real = bcrypt.hashpw

    def watched(password: bytes, salt: bytes) -> bytes:
        settings_used.append((len(password), salt[:7]))
        return real(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", watched)
    kept = await pins.hash("482913")
    settings_used.clear()
    assert not await pins.matches("482914", kept)
    assert not await pins.matches("482914", "")
    assert settings_used == [(44, b"$2b$04$")] * 2


async def test_hashing_keeps_the_event_loop_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "COST", 11)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await pins.hash("482913")
    ticking.cancel()
    assert ticks > 5


async def test_a_flood_is_sent_away_and_the_queue_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "WAITING", 3)
    answers = await asyncio.gather(*(pins.hash("482913") for _ in range(20)), return_exceptions=True)
    assert [isinstance(answer, pins.TooBusy) for answer in answers] == [False] * 5 + [True] * 15
    assert str(answers[-1]) == "Many people are signing in just now. Try again in a minute."
    assert await pins.hash("482913")
