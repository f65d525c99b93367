"""Connectors kept free for one card or driver until a moment: what was asked, what holds, and who may use it."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from domain import tokens
from domain.models import IS_OPEN, ChargingSession, Connector, Reservation, ReservationState, now

ANY = 0
"""The connector of a reservation that holds any one of the charger's (OCPP 1.6, 5.13)."""
NUMBERS = range(-(2**31), 2**31)
"""The numbers that a reservation can have: whole ones of 32 bits."""
USABLE = ("Available", "Preparing", "Reserved")
"""What a connector says at which the driver of a reservation for any one may charge."""


def asked(
    db: Session, charger_id: str, *, number: int, connector_number: int, tag: str, parent: str, expires_at: datetime
) -> None:
    """ReserveNow is about to be sent; the same number again replaces what it held (OCPP 1.6, 5.13)."""
    row = _of(db, charger_id, number) or Reservation(
        charger_id=charger_id, number=number, connector_number=connector_number, tag="", expires_at=expires_at
    )
    token = tokens.find(db, tag)
    row.connector_number, row.expires_at = connector_number, expires_at
    row.tag, row.parent = tokens.spelling(tag), tokens.spelling(parent)
    row.user_id = token.user_id if token is not None else None
    row.state, row.created_at, row.ended_at = ReservationState.WANTED, now(), None
    db.add(row)


def answered(db: Session, charger_id: str, number: int, accepted: bool) -> None:
    """The charger's answer to ReserveNow."""
    if row := _of(db, charger_id, number):
        _move(row, ReservationState.ACTIVE if accepted else ReservationState.REFUSED)


def cancelled(db: Session, charger_id: str, number: int) -> None:
    """CancelReservation was answered: Accepted, or Rejected, which says that there is no such reservation."""
    if (row := _of(db, charger_id, number)) and row.state in (ReservationState.WANTED, ReservationState.ACTIVE):
        _move(row, ReservationState.CANCELLED)


def used(db: Session, charger_id: str, number: int | None, tag: str, connector_number: int, at: datetime) -> None:
    """A charge began: with the reservation it names, or, where a charger names none, with its tag's (4.8)."""
    row = _of(db, charger_id, number) if number is not None else None
    row = row or holding(db, charger_id, connector_number, at)
    if row is not None and row.state == ReservationState.ACTIVE and is_for(db, row, tag):
        _move(row, ReservationState.USED)


def holding(db: Session, charger_id: str, connector_number: int, at: datetime) -> Reservation | None:
    """Whoever has this connector reserved at this moment.

    One for any connector holds this one as soon as no other of the charger's is left.
    """
    rows = _live(db, charger_id, at)
    of_connector = next((row for row in rows if row.connector_number == connector_number), None)
    of_any = [row for row in rows if row.connector_number == ANY]
    taken_apart = {row.connector_number for row in rows}
    left = _free(db, charger_id) - taken_apart - {connector_number}
    return of_connector or (of_any[0] if len(of_any) > len(left) else None)


def of_tag(db: Session, charger_id: str, tag: str, at: datetime) -> Reservation | None:
    """A live reservation that this tag may use."""
    return next((row for row in _live(db, charger_id, at) if is_for(db, row, tag)), None)


def is_for(db: Session, row: Reservation, tag: str) -> bool:
    """Whether this tag, or one of the reservation's group, may use it."""
    token = tokens.find(db, tag)
    parent = token.parent if token is not None else ""
    return tokens.spelling(tag) == row.tag or bool(row.parent and row.parent == parent)


def _live(db: Session, charger_id: str, at: datetime) -> Sequence[Reservation]:
    active = Reservation.charger_id == charger_id, Reservation.state == ReservationState.ACTIVE
    lasted = col(Reservation.created_at) <= at, col(Reservation.expires_at) > at
    return db.exec(select(Reservation).where(*active, *lasted).order_by(col(Reservation.id))).all()


def _of(db: Session, charger_id: str, number: int) -> Reservation | None:
    same = select(Reservation).where(Reservation.charger_id == charger_id, Reservation.number == number)
    return db.exec(same.with_for_update()).first()


def _move(row: Reservation, state: ReservationState) -> None:
    row.state, row.ended_at = state, None if state == ReservationState.ACTIVE else now()


def _free(db: Session, charger_id: str) -> set[int]:
    """Connectors on which nobody charges, and somebody could: not those that are out of order or not cleared yet."""
    of_charger = select(Connector.number).where(
        Connector.charger_id == charger_id, col(Connector.number) > 0, col(Connector.status).in_(USABLE)
    )
    busy = select(ChargingSession.connector_number).where(ChargingSession.charger_id == charger_id, IS_OPEN)
    return {*db.exec(of_charger)} - {*db.exec(busy)}
