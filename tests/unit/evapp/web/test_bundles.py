"""How Reflex's configuration of Vite is changed."""

import pytest

from evapp.web import bundles

CONFIG = "codeSplitting: {\n groups: [\n  {test: /env.json/},\n ],\n}"


def test_icons_get_a_group_once() -> None:
    grouped = bundles.grouped(CONFIG)
    assert grouped.index(bundles.ICONS) < grouped.index("env.json")
    assert bundles.grouped(grouped) == grouped


def test_another_configuration_is_not_passed_over() -> None:
    with pytest.raises(bundles.UnknownConfig):
        bundles.grouped("export default {}")
