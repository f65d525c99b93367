"""The plugin that looks for secrets in what the suite left behind can fail."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.databases import ROOT
from tests.leaks import SECRETS, found, in_database

SAID = {
    "a PIN": "wrong PIN " + "4829" + "13",
    "a full phone number": "call +91" + "98450" + "12345",
    "a VPA": "paid by asha" + "@ybl",
    "a charger's key": "key " + "0011223344556677" + "8899AABBCCDDEEFF",
    "the gateway's secrets": "client_secret=" + "sandbox" + "-secret",
    "the gateway's token": "O-" + "Bearer eyJhbGciOi",
    "a sign-in's token": "evapp_sign_in" + "=" + "a" * 43,
    "a browser's push address": "POST https://fcm.googleapis.com" + "/fcm/send/" + "a" * 100,
    "the key of the house": "a secret of the tests" + ", 32 characters or more",
}


@pytest.mark.parametrize("secret", SECRETS)
def test_each_secret_is_seen(secret: str) -> None:
    assert [name for name, _ in found(f"x {SAID[secret]} y")] == [secret]


@pytest.mark.parametrize("text", ["RCH-9845012345abc", "id 1482913", "…2345", "O-Bearer [hidden]", "12****78@ybl"])
def test_what_is_none_is_not(text: str) -> None:
    assert list(found(text)) == []


def test_a_table_keeps_what_it_is_for_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE users (phone TEXT, username TEXT)")
        database.execute("CREATE TABLE ocpp_messages (frame TEXT)")
        database.execute("INSERT INTO users VALUES (?, 'asha')", (SAID["a full phone number"],))
        database.execute("INSERT INTO ocpp_messages VALUES (?)", (SAID["a PIN"],))
    assert [name for name, _ in in_database(path)] == ["a PIN"]


LEAKY = """
import sqlite3

def test_logs():
    print({printed!r})

def test_keeps(tmp_path):
    (tmp_path / "evapp.log").write_text({logged!r})
    with sqlite3.connect(tmp_path / "evapp.db") as database:
        database.execute("CREATE TABLE gateway_events (body TEXT)")
        database.execute("INSERT INTO gateway_events VALUES (?)", ({stored!r},))
    database.close()
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_suite_that_passes_but_leaks_fails(tmp_path: Path, workers: str) -> None:
    """From what was printed, from a log and from a database, with xdist as without."""
    words = {"printed": SAID["a PIN"], "logged": SAID["a VPA"], "stored": SAID["a full phone number"]}
    (tmp_path / "test_leaky.py").write_text(LEAKY.format(**words))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.leaks", "-n", workers, "-c", "/dev/null"]
    given = [f"--rootdir={tmp_path}", f"--basetemp={tmp_path / 'base'}", str(tmp_path / "test_leaky.py")]
    done = subprocess.run([*command, *given], cwd=ROOT, capture_output=True, text=True, check=False)
    shutil.rmtree(tmp_path / "base")  # or the suite around this one would find them, too
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    for leak in ("a PIN in Captured stdout call", "a VPA in", "a full phone number in", "3 in all"):
        assert leak in done.stdout
