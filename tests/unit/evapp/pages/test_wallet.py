"""The wallet's page: what its list says while it shows nothing."""

import re

from evapp.pages.wallet import movements

BY_KIND = re.compile(r'kind_rx_state_[^"]*=== ""[^"]*"Nothing of this kind\." : "Nothing yet\. What you add')


def test_a_filter_that_finds_nothing_does_not_say_that_nothing_ever_moved() -> None:
    assert BY_KIND.search(str(movements()))
