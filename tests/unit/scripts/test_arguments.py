"""What is typed wrong after a program of ours is said in a sentence, before anything is begun."""

import shlex
import subprocess
import sys

import pytest

from tests.databases import ROOT


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("scripts.mutants walet", "'walet' is none of the modules of money: money, tariffs, prices, wallet,"),
        ("scripts.mutants --share 0", "a part of the faults, above 0 and at most 1"),
        ("scripts.mutants --share nan", "a part of the faults, above 0 and at most 1"),
        ("scripts.mutants --share much", "a part of the faults, above 0 and at most 1"),
        ("scripts.mutants --minutes -1", "a whole number from 1 to"),
        ("scripts.mutants --jobs 0", "a whole number from 1 to"),
        ("scripts.mutants --keep README.md", "README.md is no folder that can be made"),
        ("scripts.mutants --keep README.md/found", "README.md/found is no folder that can be made"),
        ("scripts.lighthouse /login", "unrecognized arguments: /login"),
        ("api docs/api", "unrecognized arguments: docs/api"),
        ("scripts.settings_page docs", "unrecognized arguments: docs"),
        ("scripts.texts fr", "unrecognized arguments: fr"),
        ("scripts.together", "required: command"),
        ("scripts.together nothing-of-this-name", "There is no program 'nothing-of-this-name'."),
        ("scripts.together true nothing-of-this-name", "There is no program 'nothing-of-this-name'."),
        ("scripts.together ''", "'' names no program"),
        ("scripts.together 'sh -c \"true'", "No closing quotation"),
    ],
)
def test_a_slip_is_said_in_a_sentence(typed: str, sentence: str) -> None:
    """One that begins something instead does not end in time."""
    command = [sys.executable, "-m", *shlex.split(typed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, "Traceback" in done.stderr, done.stdout) == (2, False, ""), done.stderr
    assert sentence in done.stderr.splitlines()[-1]
