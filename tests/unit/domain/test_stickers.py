"""Stickers: the code opens the charger's page, everything is on it, and nothing of it is loaded or injected."""

from xml.etree import ElementTree

import pytest
import segno

from domain import stickers
from domain.stickers import CODE_MM, HEIGHT_MM, HOW, WIDTH_MM, address, sticker

SVG = "{http://www.w3.org/2000/svg}"
URL = "https://charge.example"
QUIET_MODULES = 4
"""White around a code (ISO/IEC 18004)."""


def words(drawn: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(drawn).iter(f"{SVG}text")]


def test_the_code_is_the_chargers_page() -> None:
    assert address("https://charge.example/", "BLR-017") == "https://charge.example/c/BLR-017"
    expected = segno.make("https://charge.example/c/BLR-017", error="q", boost_error=False, micro=False)
    [path] = [one for one in ElementTree.fromstring(sticker(URL, "BLR-017")).iter(f"{SVG}path")]
    assert path.get("d") == expected.svg_inline(border=0).split(' d="')[1].split('"')[0]


def test_another_charger_has_another_code() -> None:
    assert sticker(URL, "BLR-017").split("<path")[1] != sticker(URL, "BLR-018").split("<path")[1]


def test_it_says_the_id_the_place_and_how_to_start() -> None:
    said = words(sticker(URL, "BLR-017", "Phoenix Mall"))
    assert {"BLR-017", "Phoenix Mall", *HOW, "No camera? Open charge.example/c/BLR-017"} <= set(said)


def test_without_a_place_there_is_no_empty_line() -> None:
    assert all(words(sticker(URL, "BLR-017")))


@pytest.mark.parametrize("charger_id", ["A", "BLR-017", "X" * 48])
def test_the_code_has_its_quiet_zone_and_the_id_fits(charger_id: str) -> None:
    root = ElementTree.fromstring(sticker(URL, charger_id))
    inner = next(one for one in root if one.tag == f"{SVG}svg")
    modules = segno.make(address(URL, charger_id), error="q", boost_error=False, micro=False).symbol_size(border=0)[0]
    assert float(inner.get("x", "0")) >= QUIET_MODULES * CODE_MM / modules
    [big] = [one for one in root.iter(f"{SVG}text") if one.text == charger_id]
    assert float(big.get("font-size", "0")) * 0.68 * len(charger_id) <= WIDTH_MM
    assert all(float(one.get("y", "0")) < HEIGHT_MM for one in root.iter(f"{SVG}text"))


def test_words_of_others_stay_words() -> None:
    drawn = sticker(URL, "BLR-017", '</text><script>alert("x")</script>')
    assert "<script" not in drawn
    assert '</text><script>alert("x")</script>' in words(drawn)


@pytest.mark.parametrize(
    ("text", "charger_id"),
    [
        ("https://ev.example.org/c/BLR-017", "BLR-017"),
        ("HTTPS://EV.example.org/hi/c/BLR-017/", "BLR-017"),
        ("https://ev.example.org/c/IN%2ABLR%2A1?from=sticker", "IN*BLR*1"),
        (" BLR-017 ", "BLR-017"),
    ],
)
def test_a_scanned_code_names_its_charger(text: str, charger_id: str) -> None:
    assert stickers.scanned("https://ev.example.org", text) == charger_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://evil.example/c/BLR-017",
        "https://ev.example.org.evil.example/c/BLR-017",
        "https://ev.example.org@evil.example/c/BLR-017",
        "https://ev.example.org/wallet",
        "https://ev.example.org/c/%2e%2e%2fauth",
        "upi://pay?pa=somebody",
        "javascript:alert(1)",
        "two words",
    ],
)
def test_any_other_code_is_refused(text: str) -> None:
    with pytest.raises(stickers.NotOurs, match="belongs to no charger here"):
        stickers.scanned("https://ev.example.org", text)
