"""The operator's commands: one function and one row in a table each, and a paragraph in docs/operate.md."""

from domain.adopted import NotAdopted
from domain.api_keys import NoKey
from domain.charger_keys import NotAKey
from domain.chargers import ChargerInUse, NotACharger
from domain.goodwill import NotGivenBack
from domain.refunds import RefundRefused
from domain.shell import api_keys, books, cards, chargers, charges, gateway, machines, payments, people, tariffs
from domain.shell.command import Mistake
from domain.tariffs import NotAPrice
from domain.tokens import TagInvalid
from domain.wallet import NotAdjusted

COMMANDS = (
    *chargers.COMMANDS,
    *tariffs.COMMANDS,
    *cards.COMMANDS,
    *people.COMMANDS,
    *payments.COMMANDS,
    *gateway.COMMANDS,
    *charges.COMMANDS,
    *books.COMMANDS,
    *api_keys.COMMANDS,
    *machines.COMMANDS,
)

REFUSALS = (
    Mistake,
    ChargerInUse,
    NoKey,
    NotACharger,
    NotAdjusted,
    NotAdopted,
    NotAKey,
    NotAPrice,
    NotGivenBack,
    RefundRefused,
    TagInvalid,
)
"""Why a command is not done; the argument of each is a sentence for the operator."""
