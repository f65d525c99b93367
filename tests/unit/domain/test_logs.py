"""A log line is one line, and holds no secret."""

import asyncio
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from domain.db import Database
from domain.logs import _SUSPECT, _VALUES, LONGEST, Sparing, configure, first_line, take_over
from domain.models import User


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_a_line_is_one_line_whatever_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger().warning("charger says", vendor="Acme\r\nlevel=info event=forged", info="\x1b[31mred")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "\r" not in said
    assert "charger says" in said


def test_an_error_is_one_line_without_what_was_in_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    pin = "274918"
    try:
        raise ValueError("no such PIN" if pin else "")
    except ValueError:
        structlog.get_logger().exception("failed")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "ValueError" in said
    assert pin not in said


def test_secrets_are_hidden_by_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger().info("x", new_pin="274918", access_token="abc", phone="+919845012345", user=7)
    line = json.loads(capsys.readouterr().out)
    assert (line["new_pin"], line["access_token"], line["phone"], line["user"]) == ("[hidden]", "[hidden]", "…2345", 7)


@pytest.mark.parametrize("room", ["domain", "csms", "payments", "api", "evapp"])
def test_what_a_line_says_is_words(room: str) -> None:
    said = re.compile(r"\blog\.(?:debug|info|warning|error|exception)\(\s*\"([^\"]+)\"")
    lines = [words for path in Path(room).rglob("*.py") for words in said.findall(path.read_text(encoding="utf-8"))]
    assert lines or room == "api"
    assert [words for words in lines if "_" in words] == []


@given(st.one_of(st.from_regex(looks) for looks, _ in _VALUES))
def test_whatever_looks_like_a_secret_is_looked_at(said: str) -> None:
    """Texts without any sign of one are not searched; no secret may be among them."""
    assert _SUSPECT.search(said)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("call 9845012345 or +91 98450 12345", "call …2345 or …2345"),
        ("phone=%2B919845012345&x=1", "phone=…2345&x=1"),
        ("Authorization: O-Bearer eyJhbGciOi.abc", "Authorization: [hidden] [hidden]"),
        ("Basic QUxBRERJTjpvcGVu", "Basic [hidden]"),
        ("paid by asha.k@ybl today", "paid by [hidden] today"),
        ("to help@evapp.example", "to [hidden]"),
        ("/_event/?EIO=4&transport=websocket&token=6f1c-77", "/_event/?EIO=4&transport=websocket&token=[hidden]"),
        ('{"new_pin": "274918", "amount": 500}', '{"new_pin": [hidden], "amount": 500}'),
        ("client_secret='s3cret'", "client_secret=[hidden]"),
        ("WifiPsk=s3cret, FtpPwd: s3cret", "WifiPsk=[hidden], FtpPwd: [hidden]"),
        ("passwd='s3cret' wpa_passphrase=s3cret", "passwd=[hidden] wpa_passphrase=[hidden]"),
        ("postgresql+psycopg://evapp:hunter2@db/evapp", "postgresql+psycopg://[hidden]@db/evapp"),
        ("redis://:hunter2@cache:6379/0", "redis://[hidden]@cache:6379/0"),
        ("DETAIL:  Failing row contains (1, asha, +919845012345, $2b$).\nSQL", "DETAIL: [hidden]\nSQL"),
        ("hash $2b$12$" + "a" * 53, "hash [hidden]"),
        ("ab@cd+ef@gh.in and ij@kl@mn.op", "[hidden]@gh.in and [hidden]@mn.op"),
        (
            "old_pin_of_asha: 274918; pin_pin=1; PIN_token_pin_='2 3'",
            "old_pin_of_asha: [hidden]; pin_pin=[hidden]; PIN_token_pin_=[hidden]",
        ),
        (f"{'x' * 99}_token_{'y' * 99}=abc", f"{'x' * 99}_token_{'y' * 99}=[hidden]"),
        ("token  \n :  'abc'", "token  \n :  [hidden]"),
    ],
)
def test_secrets_are_hidden_by_their_looks_in_any_text(
    capsys: pytest.CaptureFixture[str], said: str, kept: str
) -> None:
    configure()
    structlog.get_logger().info("x", said=said, deep={"list": [said], "pin": "274918"})
    line = json.loads(capsys.readouterr().out)
    assert (line["said"], line["deep"]) == (kept, {"list": [kept], "pin": "[hidden]"})


@pytest.mark.parametrize(
    "said",
    [
        "RCH-9845012345abcdef9845012345abcdef",
        "meter at 1784501234 Wh",
        "2026-11-26T14:17:11.474591+00:00",
        "wrong PIN",
        "stopping for session 9845012",
        "6.12345678901",
        "@rx.event(background=True)",
        "spinning: 12",
        "opinion=good, pins: 7, pinned_by: asha",
    ],
)
def test_what_is_no_secret_stays(capsys: pytest.CaptureFixture[str], said: str) -> None:
    configure()
    structlog.get_logger().info(said, said=said)
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["said"]) == (said, said)


HOSTILE = (
    "a",
    "a.+-",
    "@aa",
    "aa@",
    "aa@b",
    "pin_",
    "token",
    "_vpa",
    "token ",
    "token=",
    "token=\"'",
    "token:[hidden]",
    "Basic ",
    "DETAIL:  Key",
    "DETAIL:  ",
    "://:",
    "://a:b",
    "$2b$12$a",
    "98450 ",
    "%2B91",
    " ",
    "\\",
    '"',
)


@pytest.mark.parametrize("part", HOSTILE)
@pytest.mark.parametrize("before", ["", "token", "token="])
def test_what_a_stranger_repeats_is_searched_once(part: str, before: str) -> None:
    """Even without a cut: it took hours when each place began a search of all the rest."""
    said = before + part * (300_000 // len(part)) + ":"
    for looks, instead in _VALUES:
        looks.sub(instead, said)


def test_a_long_text_keeps_its_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """What happened is said at the end of a traceback."""
    configure()
    line = "at a place\n"
    structlog.get_logger().info("x", said="begin " + line * 10_000 + "ValueError: token=abc", one="x" * 1_000_000)
    told = json.loads(capsys.readouterr().out)
    assert told["said"].startswith("begin at a place\nat a place\n")
    assert told["said"].endswith("\nat a place\nValueError: token=[hidden]")
    assert "cut" in told["said"]
    assert "cut" in told["one"]
    assert max(map(len, told.values())) < LONGEST + 100


def test_a_text_is_not_cut_within_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    for n in range(90):
        said = "x" * n + " token=hunter2hunter2\n" * (2 * LONGEST // 22)
        structlog.get_logger().info("x", said=said)
    assert "unter2" not in capsys.readouterr().out


@pytest.fixture
def libraries() -> Iterator[None]:
    """The loggers of libraries, as they were before."""
    root = (logging.root.handlers[:], logging.root.level)
    loggers = {name: logging.getLogger(name) for name in list(logging.root.manager.loggerDict)}
    before = {name: (one.handlers[:], one.propagate, one.level) for name, one in loggers.items()}
    yield
    logging.captureWarnings(False)
    logging.root.handlers[:], logging.root.level = root
    for name, (handlers, propagate, level) in before.items():
        loggers[name].handlers[:], loggers[name].propagate, loggers[name].level = handlers, propagate, level


def test_what_libraries_log_goes_the_same_way(capsys: pytest.CaptureFixture[str], libraries: None) -> None:
    granian = logging.getLogger("_granian")
    granian.addHandler(logging.StreamHandler(sys.stdout))
    granian.propagate = False
    granian.setLevel(logging.NOTSET)  # a granian that ran in this process may have left it another
    configure(sys.stdout)
    take_over(sys.stdout)
    with structlog.contextvars.bound_contextvars(charger="BLR-017"):
        granian.warning("worker %s\nkilled; token=%s", "one", "abc")
        try:
            raise ValueError("Basic QUxBRERJTjpvcGVu")
        except ValueError:
            logging.getLogger("websockets.server").exception("opening handshake failed")
        logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["logger"], line["level"], line["charger"]) for line in lines] == [
        ("_granian", "warning", "BLR-017"),
        ("websockets.server", "error", "BLR-017"),
    ]
    assert lines[0]["event"] == "worker one\nkilled; token=[hidden]"
    assert "QUxBRERJTjpvcGVu" not in lines[1]["exception"]


def test_what_libraries_log_again_and_again_is_counted(capsys: pytest.CaptureFixture[str], libraries: None) -> None:
    """Strangers cause it: Reflex writes a trace of whatever it cannot read. What one library says hides no other's."""
    configure(sys.stdout)
    take_over(sys.stdout)
    for n in range(100):
        logging.getLogger("reflex.app").error("unreadable: %s", n)
    logging.getLogger("websockets.server").warning("connection lost")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == [*(f"unreadable: {n}" for n in range(30)), "connection lost"]


def test_the_next_line_says_how_many_were_left_out() -> None:
    moment = [0.0]
    sparing = Sparing(2, lambda: moment[0])
    records = [logging.LogRecord("reflex", logging.ERROR, "", 1, "line %s", (n,), None) for n in range(6)]
    assert [sparing.filter(record) for record in records[:5]] == [True, True, False, False, False]
    moment[0] = 60.1
    assert sparing.filter(records[5])
    assert [records[n].getMessage() for n in (0, 5)] == ["line 0", "line 5 (3 left out before)"]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
async def test_a_refused_row_is_not_told_of(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the parameters of a statement nor the row that PostgreSQL quotes."""
    configure()

    def twice(db: Session) -> None:
        db.add(User(username="asha_of_2031", phone="+919845012345", pin_hash="$2b$12$" + "a" * 53))
        db.flush()
        db.add(User(username="asha_of_2031", phone="+919845012345", pin_hash="$2b$12$" + "a" * 53))
        db.flush()

    def without_a_name(db: Session) -> None:
        db.add(User(username=None, phone="+919845012345", pin_hash="$2b$12$" + "a" * 53))  # type: ignore[arg-type]
        db.flush()

    for refused in (twice, without_a_name):
        try:
            await database.transact(refused)
        except SQLAlchemyError:
            structlog.get_logger().exception("refused")
    said = capsys.readouterr().out
    assert said.count('"refused"') == 2
    assert "asha_of_2031" not in said, "a value that looks like nothing is in the parameters alone"
    assert "9845012345" not in said
    assert "$2b$" not in said


async def test_work_in_another_thread_logs_the_ids_of_who_asked(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()

    def told(db: Session) -> None:
        structlog.get_logger().info("in a transaction")

    with structlog.contextvars.bound_contextvars(session=7):
        await asyncio.gather(database.transact(told), database.append(told), database.read(told))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["session"] for line in lines if line["event"] == "in a transaction"] == [7, 7, 7]


@pytest.mark.parametrize(
    ("words", "line"), [("one\ntwo", "one"), ("\n one", "one"), ("", "OSError"), (" \n", "OSError")]
)
def test_an_error_without_words_has_its_name(words: str, line: str) -> None:
    assert first_line(OSError(words)) == line
