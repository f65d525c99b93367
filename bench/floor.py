"""The least that a server in CPython can do and still commit each sample before it answers.

`python -m bench.floor` serves until it is ended. It decodes MeterValues, writes two rows, commits what has gathered,
and answers. Nothing is checked, repaired, priced or remembered: what this CSMS takes beyond it are its rules.
"""

import asyncio
import base64
import hashlib
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Literal

import msgspec
import uvloop
from websockets.speedups import apply_mask

from csms.server import BACKLOG
from domain.db import PRAGMAS

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = re.compile(rb"Sec-WebSocket-Key: (\S+)")
MOST = 5_000
"""Charges that there are."""
TABLES = """
CREATE TABLE samples (id INTEGER PRIMARY KEY, charge INTEGER, at TEXT, received_at TEXT, wh INTEGER, w INTEGER);
CREATE TABLE charges (id INTEGER PRIMARY KEY, at TEXT, received_at TEXT, wh INTEGER, w INTEGER, paise INTEGER);
"""
MOVED = "UPDATE charges SET at = ?, received_at = ?, wh = ?, w = ?, paise = ? WHERE id = ? AND wh <= ?"
TOLD = "INSERT INTO samples (charge, at, received_at, wh, w) VALUES (?, ?, ?, ?, ?)"

Sample = tuple["Charger", str, int, str, int, int]


class Value(msgspec.Struct, gc=False):
    """One figure."""

    value: str
    measurand: str = ""


class Entry(msgspec.Struct, gc=False):
    """Figures of one moment."""

    timestamp: datetime
    sampledValue: list[Value]


class MeterValues(msgspec.Struct, gc=False):
    """What of a message is looked at."""

    meterValue: list[Entry]
    transactionId: int


_envelope = msgspec.json.Decoder(tuple[Literal[2], str, str, msgspec.Raw]).decode
_payload = msgspec.json.Decoder(MeterValues).decode


class Store:
    """A database, and the thread that writes what has gathered as one transaction."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(
            Path(mkdtemp(prefix="bench-")) / "floor.db", check_same_thread=False, isolation_level=None
        )
        for pragma in PRAGMAS:
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(TABLES)
        self._database.executemany("INSERT INTO charges VALUES (?, '', '', 0, 0, 0)", [(n,) for n in range(1, MOST)])
        self._cursor = self._database.cursor()
        self._writer = ThreadPoolExecutor(1)
        self._loop = asyncio.get_running_loop()
        self._gathered: list[Sample] = []
        self._writing = False

    def add(self, *sample: Any) -> None:
        self._gathered.append(sample)
        if not self._writing:
            self._writing = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        batch, self._gathered = self._gathered, []
        self._writer.submit(self._write, batch)

    def _write(self, batch: list[Sample]) -> None:
        now = datetime.now(UTC).isoformat()
        self._cursor.execute("BEGIN IMMEDIATE")
        self._cursor.executemany(MOVED, [(at, now, wh, w, wh * 18, charge, wh) for _, _, charge, at, wh, w in batch])
        self._cursor.executemany(TOLD, [(charge, at, now, wh, w) for _, _, charge, at, wh, w in batch])
        self._database.commit()
        self._loop.call_soon_threadsafe(self._written, batch)

    def _written(self, batch: list[Sample]) -> None:
        for charger, id_, *_ in batch:
            charger.answer(id_)
        self._writing = bool(self._gathered)
        if self._writing:
            self._loop.call_soon(self._hand_over)


class Charger(asyncio.Protocol):
    """One socket; every chunk is one message, as the load sends them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._head = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._shake_hands(data)
            return
        start = 8 if data[1] == 0xFE else 6
        _, id_, _, raw = _envelope(apply_mask(data[start:], data[start - 4 : start]))
        told = _payload(raw)
        [entry] = told.meterValue
        wh = w = 0
        for one in entry.sampledValue:
            if one.measurand == "Energy.Active.Import.Register":
                wh = int(one.value)
            elif one.measurand == "Power.Active.Import":
                w = round(float(one.value))
        self._store.add(self, id_, told.transactionId, str(entry.timestamp), wh, w)

    def answer(self, id_: str) -> None:
        text = b'[3,"%b",{}]' % id_.encode()
        self._transport.write(bytes((0x81, len(text))) + text)

    def _shake_hands(self, data: bytes) -> None:
        self._head += data
        if not self._head.endswith(b"\r\n\r\n"):
            return
        self._open, key = True, KEY.search(self._head)
        assert key is not None
        accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )


async def _serve() -> None:
    store, loop = Store(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Charger(store), "127.0.0.1", 0, backlog=BACKLOG)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    await loop.create_future()


if __name__ == "__main__":
    uvloop.run(_serve())
