"""What is done to the built pages before they are compressed."""

import base64
import gzip
import hashlib
import json
from pathlib import Path

from evapp.web import pwa

THEME = "<script>theme()</script>"
PAGE = (
    '<html><head><link rel="modulepreload" href="/assets/a.js"/><link rel="stylesheet" href="/assets/a.css"/></head>'
    f'<body>{THEME}<p>No connection</p><script type="module" async="">import "/assets/a.js"</script>'
    '<script src="/assets/b.js"></script></body></html>'
)


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_the_offline_page_keeps_its_style_and_theme_and_no_other_script() -> None:
    page = pwa.without_app(PAGE)
    assert page.count("<script") == 1
    assert f"{THEME}</head>" in page
    assert "modulepreload" not in page
    assert 'rel="stylesheet"' in page
    assert "<p>No connection</p>" in page


def test_a_page_without_scripts_stays_as_it_is() -> None:
    assert pwa.without_app("<html><head></head></html>") == "<html><head></head></html>"


def test_a_document_is_in_the_language_of_its_address(tmp_path: Path) -> None:
    for page in ("wallet/index.html", "hi/wallet/index.html", "hi/wallet.html", "history.html"):
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / page).write_text('<!DOCTYPE html><html lang="en-IN"><body></body></html>')
    pwa.name_languages(tmp_path)
    hindi = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*.html") if 'lang="hi-IN"' in one.read_text()}
    assert hindi == {"hi/wallet/index.html", "hi/wallet.html"}


def test_inline_scripts_are_hashed_and_files_are_not() -> None:
    assert pwa.hashes_of(PAGE) == [_hash("theme()"), _hash('import "/assets/a.js"')]


def test_each_page_is_known_by_its_address(tmp_path: Path) -> None:
    static = tmp_path / "client"
    for name in ("index.html", "login/index.html", "login.html", "offline.html", "__spa-fallback.html"):
        (static / name).parent.mkdir(parents=True, exist_ok=True)
        (static / name).write_text(PAGE)
    pwa.write_hashes(static, tmp_path / "backend" / "csp.json")
    pages = json.loads((tmp_path / "backend" / "csp.json").read_text())
    assert set(pages) == {"/", "/login", "/login.html", "/offline.html", "*"}


def test_one_page_for_all_addresses_lends_them_its_hashes(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE)
    pwa.write_hashes(tmp_path, tmp_path / "csp.json")
    pages = json.loads((tmp_path / "csp.json").read_text())
    assert pages["*"] == pages["/"] == [_hash("theme()"), _hash('import "/assets/a.js"')]


def test_the_decoder_lies_beside_its_compressed_self(tmp_path: Path) -> None:
    packed = tmp_path / "web" / "node_modules" / pwa.ZXING
    packed.parent.mkdir(parents=True)
    packed.write_bytes(b"\0asm" * 1000)
    (tmp_path / "static").mkdir()
    pwa.serve_decoder(tmp_path / "static", tmp_path / "web")
    served = tmp_path / "static" / "wasm" / "zxing_reader.wasm"
    assert served.read_bytes() == gzip.decompress(served.with_name("zxing_reader.wasm.gz").read_bytes())
