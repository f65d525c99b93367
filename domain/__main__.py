"""The operator's shell, `python -m domain`: it works on the database and tells the running server what it did."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import NoReturn

from domain import complaints, logs, socket
from domain.chargers import ChargerUnknown
from domain.db import Database
from domain.settings import settings
from domain.shell import COMMANDS, REFUSALS
from domain.shell.command import Command, Failed, Shell
from domain.tokens import TokenUnknown, spelling
from payments import phonepe

PROGRAM = "python -m domain"
NOBODY_HEARD = (
    "No server answers on this machine: a connection that one holds elsewhere stays open until it ends by itself."
)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, and where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message[0].upper()}{message[1:].rstrip('.')}. See: {self.prog} --help\n")


def parser() -> Parser:
    """Every command, as `<noun> <verb>`."""
    top = Parser(prog=PROGRAM, description=__doc__)
    nouns = top.add_subparsers(metavar="<command>", required=True)
    verbs = {}
    for command in COMMANDS:
        noun, verb = command.words.split()
        if noun not in verbs:
            about = ", ".join(c.words.split()[1] for c in COMMANDS if c.words.split()[0] == noun)
            verbs[noun] = nouns.add_parser(noun, help=about).add_subparsers(metavar="<what>", required=True)
        words = verbs[noun].add_parser(verb, help=command.help, description=command.help)
        for argument in command.arguments:
            words.add_argument(argument.name, help=argument.help, **argument.options)
        words.set_defaults(command=command)
    return top


def main(typed: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 0 done, 1 bad news, 2 a mistake in what was typed."""
    given = parser().parse_args(typed)
    command: Command = given.command
    try:
        settings().check()
        with closing(Database(settings().database)) as database:
            shell = Shell(database, lambda: phonepe.connected(settings()), command.words)
            try:
                for line in command.work(shell, given):
                    _say(line)
            finally:
                _announce(shell, command)
    except REFUSALS as error:
        return _complain(2, str(error))
    except ChargerUnknown as error:
        return _complain(2, f"There is no charger {error}. `charger list` shows them.")
    except TokenUnknown as error:
        return _complain(2, f"There is no card {spelling(str(error))}. `token list` shows them.")
    except Failed as error:
        return _complain(1, str(error))
    except complaints.KNOWN as error:
        return _complain(1, complaints.complaint(error))
    return 0


def _announce(shell: Shell, command: Command) -> None:
    if not shell.events:
        return
    try:
        socket.publish(shell.events)
    except socket.NoServer:
        if command.ends_connections:
            _say(NOBODY_HEARD)
    except socket.Failed as error:
        _complain(1, f"It is done, but the running server did not take the news: {error}")


def _plain(line: str) -> str:
    """Chargers choose some of these words; none may move the cursor of a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in line)


def _say(line: str) -> None:
    """To nobody, once whoever reads has read enough (`… | head`): what is being done is done all the same."""
    try:
        print(_plain(line), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(code: int, sentence: str) -> int:
    print(_plain(sentence), file=sys.stderr)
    return code


if __name__ == "__main__":
    logs.configure(sys.stderr)
    sys.exit(main())
