"""Makes the fonts of receipts from those of the pages: FPDF needs one TrueType file a weight.

Needs brotli beside the development packages, and Debian's fonts-noto-core for names and places in Devanagari:
`pip install brotli`, then `python scripts/fonts.py`.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from fontTools import subset
from fontTools.merge import Merger
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

HOUSE = Path(__file__).parents[1]
WEIGHTS = {"regular": 400, "semibold": 600}
LAYOUT = ("GSUB", "GDEF", "STAT", "MVAR", "HVAR")
"""Tables that a static font on paper has no use for."""
NOTO = "/usr/share/fonts/truetype/noto/NotoSansDevanagari-{style}.ttf"
DEVANAGARI = [*range(0x0900, 0x0980), 0x200C, 0x200D, 0x25CC]
"""The script, and the two signs without a width that join its letters or keep them apart."""


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


def devanagari(style: str, path: Path) -> None:
    """The part of Noto Sans that writes Hindi, with the rules of its ligatures."""
    options = subset.Options(layout_features=["*"], name_IDs=["*"], notdef_outline=True, hinting=False)
    font = subset.load_font(NOTO.format(style=style), options)
    part = subset.Subsetter(options)
    part.populate(unicodes=DEVANAGARI)
    part.subset(font)
    subset.save_font(font, path, options)


for style, name in (("Regular", "regular"), ("Bold", "semibold")):
    devanagari(style, HOUSE / f"evapp/web/fonts/noto-devanagari-{name}.ttf")
for name, weight in WEIGHTS.items():
    with TemporaryDirectory() as folder:
        parts = [static(part, weight, Path(folder)) for part in ("latin", "rupee")]
        Merger().merge([str(part) for part in parts]).save(HOUSE / f"evapp/web/fonts/anek-{name}.ttf")
