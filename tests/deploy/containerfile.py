"""Reads deploy/Containerfile and performs its steps in a folder, since no container engine is at hand.

What a machine's own packages are for is left out: pip's installs and users. In their place stands the environment
that the tests run in.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.databases import ROOT

FILE = ROOT / "deploy" / "Containerfile"
WORKDIR = "/evapp"
LEFT_OUT = ("pip install", "python -m venv", "useradd")
TOOLS = Path(sys.executable).parent


@dataclass(frozen=True)
class Step:
    """One instruction and what follows it."""

    word: str
    rest: str


@dataclass(frozen=True)
class Stage:
    """What stands between two FROM."""

    base: str
    steps: tuple[Step, ...]

    def of(self, word: str) -> list[str]:
        return [step.rest for step in self.steps if step.word == word]


def stages() -> dict[str, Stage]:
    """The stages by their names, in their order."""
    text = re.sub(r"^\s*#.*\n", "", FILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found: dict[str, Stage] = {}
    for part in re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]:
        head, *lines = [re.sub(r"\s+", " ", line.strip()) for line in part.splitlines() if line.strip()]
        base, _, name = head.partition(" AS ")
        found[name] = Stage(base, tuple(Step(*line.split(" ", 1)) for line in lines))
    return found


def variables(name: str) -> dict[str, str]:
    """What ENV sets in a stage and in those it is built on."""
    known = stages()
    if name not in known:
        return {}
    pairs = [pair for line in known[name].of("ENV") for pair in line.split(" ")]
    return variables(known[name].base) | dict(pair.split("=", 1) for pair in pairs)


def perform(name: str, folder: Path) -> Path:
    """Build a stage, and those it needs, below `folder`; gives what is its /evapp."""
    here = folder / name
    if here.exists():
        return here
    stage = stages()[name]
    if stage.base in stages():
        shutil.copytree(perform(stage.base, folder), here, symlinks=True)
    else:
        here.mkdir(parents=True)
    for step in stage.steps:
        if step.word == "COPY":
            _copy(step.rest, here, folder)
        elif step.word == "RUN" and not any(words in step.rest for words in LEFT_OUT):
            _run(step.rest, here, name)
    return here


def environment(name: str) -> dict[str, str]:
    """A process's variables in this stage; the tools are those of the tests."""
    return {**os.environ, **variables(name), "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}


def _copy(rest: str, here: Path, folder: Path) -> None:
    *sources, target = [word for word in rest.split(" ") if not word.startswith("--from=")]
    origin = ROOT
    if stage := re.search(r"--from=(\S+)", rest):
        origin = perform(stage[1], folder)
        sources = [source.removeprefix(f"{WORKDIR}/") for source in sources]
    for source in sources:
        if source == ".venv":
            (here / source).symlink_to(TOOLS.parent)
        elif (origin / source).is_dir():
            shutil.copytree(origin / source, here / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin / source, here / target)


def _run(command: str, here: Path, name: str) -> None:
    done = subprocess.run(["sh", "-ec", command], cwd=here, env=environment(name), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
