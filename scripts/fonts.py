"""Makes the fonts of receipts from those of the pages: FPDF needs one TrueType file a weight.

Needs brotli beside the development packages: `pip install brotli`, then `python scripts/fonts.py`.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from fontTools.merge import Merger
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

HOUSE = Path(__file__).parents[1]
WEIGHTS = {"regular": 400, "semibold": 600}
LAYOUT = ("GSUB", "GDEF", "STAT", "MVAR", "HVAR")
"""Tables that a static font on paper has no use for."""


def static(part: str, weight: int, folder: Path) -> Path:
    """One weight of one of the variable fonts of the pages."""
    font = TTFont(HOUSE / f"assets/fonts/anek-{part}-1.woff2")
    font.flavor = None
    rest = {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes}
    font = instantiateVariableFont(font, {**rest, "wght": weight})
    for table in LAYOUT:
        if table in font:
            del font[table]
    path = folder / f"{part}.ttf"
    font.save(path)
    return path


for name, weight in WEIGHTS.items():
    with TemporaryDirectory() as folder:
        parts = [static(part, weight, Path(folder)) for part in ("latin", "rupee")]
        Merger().merge([str(part) for part in parts]).save(HOUSE / f"evapp/web/fonts/anek-{name}.ttf")
