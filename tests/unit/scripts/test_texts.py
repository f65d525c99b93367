"""`make texts`: a catalogue follows the code and guesses nothing."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from scripts.texts import updated, write


def test_new_sentences_wait_and_those_nobody_says_go(tmp_path: Path) -> None:
    said, known = Catalog(), Catalog(locale="hi")
    said.add("Wallet", locations=[("evapp/pages/wallet.py", None)])
    said.add("Your wallet", locations=[("evapp/pages/wallet.py", None)])
    known.add("Wallet", "वॉलेट")
    known.add("Your wallets", "आपके वॉलेट")
    file = tmp_path / "hi" / "evapp.po"
    write(updated(known, said), file, "hi")
    with file.open("rb") as kept:
        catalog = read_po(kept)
    assert {one.id: one.string for one in catalog if one.id} == {"Wallet": "वॉलेट", "Your wallet": ""}
    assert not any(one.fuzzy for one in catalog if one.id)
    before = file.read_bytes()
    write(updated(catalog, said), file, "hi")
    assert file.read_bytes() == before
