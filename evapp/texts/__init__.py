"""Every sentence a person reads passes through here, so that a language can be added in one place.

The English sentence itself is the key, as with gettext: a page stays readable from top to bottom and a
sentence without a translation shows in English instead of as a code. Write

    t("Sign in to charge at {charger}", charger=SignIn.charger)

with whole sentences and named holes, never with pieces glued together, because other languages order
their words differently. A hole takes a Python value or a Reflex Var.

Another language is a gettext catalogue beside this file (`pybabel extract -k t evapp domain`), looked up
in `t` and nowhere else. tests/unit/evapp/texts/test_texts.py fails when a page or a component shows a
sentence that did not come through `t`.
"""


def t(sentence: str, **holes: object) -> str:
    """A sentence in the reader's language, its {named} holes filled."""
    return sentence.format(**holes) if holes else sentence
