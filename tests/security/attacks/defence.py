"""A row of the table of attacks, and the files of tests that many rows name."""

from typing import NamedTuple

GOING = "tests/unit/evapp/web/checkout/test_going.py"
WEBHOOK = "tests/unit/evapp/web/checkout/test_webhook.py"
SIGN_IN = "tests/unit/evapp/web/test_auth.py"
FORMS = "tests/unit/evapp/web/test_forms.py"
GUESSES = "tests/security/test_accounts.py"
CHARGER = "tests/csms/test_attacks.py"
FLOODS = "tests/csms/test_limits.py"
DOORS = "tests/e2e/test_doors.py"
API = "tests/unit/api/test_service.py"
OPERATORS = "tests/unit/domain/test_operators.py"


class Defence(NamedTuple):
    """What holds against an attack."""

    says: str
    where: str
    """The file it stands in."""
    text: str
    """It, as it stands there, once."""
    without: str
    """The same place without it."""
    test: str
    """Fails then."""
