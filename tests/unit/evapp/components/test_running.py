"""A running charge on Home: how old its figures are."""

import json

from evapp.components.running import running_card
from evapp.state.live import Live


def test_a_dot_parts_the_reading_from_the_words_that_come_when_it_is_old() -> None:
    assert json.dumps("· no news for a while") in str(running_card(Live))
