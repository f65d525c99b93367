"""Every program of ours says what it does and what it takes when it is asked with --help."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDERS = ("api", "bench", "csms", "domain", "scripts", "simulator", "tests")
ASKED = """
import contextlib, io, json, runpy, sys, traceback
answers = {}
for program in json.loads(sys.argv[1]):
    sys.argv = [program, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            answers[program] = said.getvalue() if not end.code else f"ended with {end.code}"
        except Exception:
            answers[program] = traceback.format_exc()
print(json.dumps(answers))
"""


def programs() -> list[str]:
    """Modules that read a command line."""
    files = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    found = [path for path in files if path != Path(__file__) and reads_arguments(path.read_text())]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__") for path in found]


def reads_arguments(text: str) -> bool:
    return "argparse" in text and '__name__ == "__main__"' in text


def test_each_program_says_what_it_does() -> None:
    asked = programs()
    assert {"api", "bench", "csms", "domain", "simulator", "bench.day", "scripts.breaches"} <= set(asked)
    ran = subprocess.run(
        [sys.executable, "-c", ASKED, json.dumps(asked)], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert ran.returncode == 0, ran.stderr
    answers = json.loads(ran.stdout)
    assert {name: said for name, said in answers.items() if not said.startswith("usage: ")} == {}
    assert answers.keys() == set(asked)
