"""Commands to a running simulator, from a shell to a virtual charger and back as a sentence."""

import asyncio
import json
import stat
from pathlib import Path

import pytest

from simulator import control
from simulator.chargers import VirtualCharger
from tests.unit.simulator.states import powered


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "simulator.sock"


def ask(path: Path, command: str, value: str = "", *, charger: str = "blr-017", connector: int = 1):
    return control.send(path, control.Asked(command, charger, connector, value))


async def test_every_command_reaches_the_charger(csms, clock, path):
    async with powered(csms, clock) as charger, control.listening({"BLR-017": charger}, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        told = []
        for command, value in [
            ("show", ""),
            ("plug", ""),
            ("swipe", "CARD-1"),
            ("suspend", ""),
            ("resume", ""),
            ("stop", ""),
            ("unplug", ""),
            ("fault", "OverVoltage"),
            ("repair", ""),
            ("power-cut", "3"),
        ]:
            told.append(await ask(path, command, value))
        assert told == [
            "BLR-017 connector 1: Available, online.",
            "BLR-017 connector 1: Preparing, online.",
            "BLR-017 connector 1: Charging, card Accepted, online.",
            "BLR-017 connector 1: SuspendedEV, online.",
            "BLR-017 connector 1: Charging, online.",
            "BLR-017 connector 1: Finishing, online.",
            "BLR-017 connector 1: Available, online.",
            "BLR-017 connector 1: Faulted, online.",
            "BLR-017 connector 1: Available, online.",
            "BLR-017 connector 1: Available, offline.",
        ]
    assert not path.exists()


async def test_the_line_can_be_lost_and_found(csms, clock, path):
    async with powered(csms, clock) as charger, control.listening({"BLR-017": charger}, path):
        await ask(path, "offline")
        await charger.until(lambda c: not c.online)
        await ask(path, "online")
        await clock.advance(2)
        await charger.until(lambda c: c.online)
        await ask(path, "drop")
        await charger.until(lambda c: not c.online)


@pytest.mark.parametrize(
    ("command", "value", "charger", "connector", "sentence"),
    [
        ("unplug", "", "BLR-017", 1, "BLR-017 connector 1 has no car plugged in."),
        ("fault", "Gremlins", "BLR-017", 1, "'Gremlins' is no error of OCPP 1.6"),
        ("plug", "", "BLR-999", 1, "There is no charger BLR-999. There are: BLR-017."),
        ("plug", "", "BLR-017", 0, "BLR-017 has no connector 0."),
        ("dance", "", "BLR-017", 1, "There is no command dance."),
        ("power-cut", "soon", "BLR-017", 1, "whole number of seconds"),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_sentence(path, command, value, charger, connector, sentence):
    fleet = {"BLR-017": VirtualCharger("BLR-017", "ws://127.0.0.1:1/ocpp")}
    async with control.listening(fleet, path):
        with pytest.raises(control.Refused, match=sentence):
            await ask(path, command, value, charger=charger, connector=connector)


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"command": "plug"}', ""])
async def test_a_line_that_is_no_command_is_answered_too(path, line):
    async with control.listening({}, path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line.encode() + b"\n")
        assert "A command is" in json.loads(await reader.readline())["refused"]
        writer.close()


async def test_without_a_simulator_the_sentence_says_how_to_start_one(path):
    with pytest.raises(control.Refused, match="python -m simulator"):
        await ask(path, "show")


async def test_two_simulators_do_not_share_a_desk(path):
    async with control.listening({}, path):
        with pytest.raises(control.Refused, match="running already"):
            async with control.listening({}, path):
                pass


async def test_what_a_killed_simulator_left_behind_is_no_obstacle(path):
    path.parent.mkdir()
    path.touch()
    async with control.listening({}, path):
        with pytest.raises(control.Refused, match="no charger"):
            await ask(path, "show")
