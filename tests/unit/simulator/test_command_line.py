"""`python -m simulator` as a person runs it: a process that connects, obeys and ends cleanly."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT

import pytest

from simulator import control
from simulator.__main__ import main
from tests.e2e.running import free_port
from tests.unit.simulator.central_system import CentralSystem


@pytest.mark.parametrize("wish", [signal.SIGINT, signal.SIGTERM], ids=lambda wish: wish.name)
async def test_it_runs_beside_the_app_takes_commands_and_ends_when_asked(csms, tmp_path, wish):
    socket = tmp_path / "simulator.sock"
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--ocpp", csms.url, "--socket", str(socket)),
        *("--sandbox-port", str(free_port())),
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        async with asyncio.timeout(90):
            lines = []
            while not any("charge" in line and "DEMO-2" in line for line in lines):
                lines.append((await program.stdout.readline()).decode())
            command = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "simulator", "repair", "DEMO-3", "--socket", str(socket)), stdout=PIPE
            )
            said, _ = await command.communicate()
            assert said.decode() == "DEMO-3 connector 1: Available, online.\n"
            program.send_signal(wish)
            rest, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert program.returncode == 0, rest.decode()
    assert "Traceback" not in rest.decode()
    assert not socket.exists()
    assert csms.payloads("StopTransaction")[0]["reason"] == "PowerLoss"


def test_a_command_without_a_simulator_fails_with_a_sentence(tmp_path, capsys):
    assert main(["plug", "DEMO-1", "--socket", str(tmp_path / "none.sock")]) == 1
    assert "python -m simulator" in capsys.readouterr().err


async def test_a_taken_sandbox_port_ends_it_with_a_sentence(csms: CentralSystem, tmp_path):
    async with csms.serving() as server:
        port = server.sockets[0].getsockname()[1]
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulator", "--ocpp", csms.url, "--socket", str(tmp_path / "s.sock")),
            *("--sandbox-port", str(port)),
            stdout=PIPE,
            stderr=STDOUT,
        )
        async with asyncio.timeout(90):
            said, _ = await program.communicate()
    assert program.returncode == 1
    assert f"port {port}" in said.decode()
    assert "Traceback" not in said.decode()


@pytest.mark.parametrize(
    "url", ["nonsense", "http://localhost:9000/ocpp", "ws://", "ws://[::1", "ws://localhost:many/ocpp", "ws://a:99999"]
)
def test_an_address_that_is_none_is_refused_with_an_example(url, capsys):
    with pytest.raises(SystemExit):
        main(["--ocpp", url])
    assert "ws://localhost:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("--sandbox-port", "99999"), "a port from 1 to 65535"),
        (("--sandbox-port", "-1"), "a port from 1 to 65535"),
        (("--sandbox-port", "many"), "a port from 1 to 65535"),
        (("--webhook", "nonsense"), "is no address like http://localhost:"),
    ],
)
def test_a_slip_is_said_in_a_sentence(typed, words, capsys):
    with pytest.raises(SystemExit) as left:
        main([*typed])
    assert left.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("place", ["file/simulator.sock", "x" * 120], ids=["no folder", "too long"])
def test_a_place_that_cannot_take_commands_is_named(place, tmp_path, capsys):
    """It said that the sandbox cannot listen on its port."""
    (tmp_path / "file").touch()
    assert main(["--socket", str(tmp_path / place), "--sandbox-port", str(free_port())]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{tmp_path / place} cannot be used: ")
    assert said.endswith("Is EVAPP_VAR_DIR, or --socket, right?\n")


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in control.COMMANDS)
