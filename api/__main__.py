"""Write docs/api/openapi.json from the code."""

import argparse
from pathlib import Path

from api.app import written

PAGE = Path(__file__).parents[1] / "docs" / "api" / "openapi.json"

if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m api", description=__doc__).parse_args()
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(written(), encoding="utf-8")
