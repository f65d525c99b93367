"""What a charger's key is; how chargers come in with one is in test_chargers.py."""

import re

from domain import charger_keys


def test_a_new_key_is_40_digits_that_nobody_can_guess() -> None:
    made = {charger_keys.new() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("[0-9A-F]{40}", key) for key in made)
