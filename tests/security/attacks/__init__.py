"""Every attack of the product's promise: the defence, where it stands, the test, and how the test is seen to fail.

`make breaches` takes each defence out of a copy of the product, one at a time, and runs its test, which must fail.
docs/security.md shows this table (`python -m scripts.breaches --page`).
"""

from tests.security.attacks import accounts, chargers, house, money, notices, operators, others, words
from tests.security.attacks.defence import Defence

ATTACKS: dict[str, tuple[Defence, ...]] = {
    **others.ATTACKS,
    **money.ATTACKS,
    **accounts.ATTACKS,
    **operators.ATTACKS,
    **words.ATTACKS,
    **notices.ATTACKS,
    **chargers.ATTACKS,
    **house.ATTACKS,
}
