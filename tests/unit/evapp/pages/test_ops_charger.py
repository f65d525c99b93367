"""An operator's page of a charger: what its headings say before the PIN was given."""

import re

from evapp.pages.ops_charger import commands

BEFORE_THE_PIN = re.compile(r'until_rx_state_[^"]*=== "".{0,200}"Every message of OCPP 1\.6 can be sent from here')


def test_what_can_be_asked_is_said_before_the_pin_opens_it() -> None:
    assert BEFORE_THE_PIN.search(str(commands()))
