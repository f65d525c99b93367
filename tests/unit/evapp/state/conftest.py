"""Whom the pages' states are asked by: Asha, signed in with her phone; and the desk of drivers and chargers."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from domain import sign_ins
from domain.db import opened, transact
from domain.models import User
from domain.sign_ins import Browser, hash_token
from evapp.web import auth
from tests.money.conftest import clock, desk
from tests.money.house import driver

__all__ = ["clock", "desk"]


@pytest.fixture
async def asha(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[int]:
    """On a database of the test's own, which is open."""

    def join(db: Session) -> int:
        user_id = driver(db)
        sign_ins.start(db, db.get_one(User, user_id), Browser(hash_token("phone"), "", ""))
        return user_id

    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"):
        yield await transact(join)


@pytest.fixture
def scope(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the handshake knew: Asha's own phone."""
    scope: dict[str, Any] = {"ev.sign_in": hash_token("phone")}
    monkeypatch.setattr(auth, "scope_of", lambda state: scope)
    return scope
