"""The operator's commands: one function and one row in a table each, and a paragraph in docs/operate.md."""

from domain.shell import api_keys, cards, chargers, charges, gateway, machines, payments, people, tariffs

COMMANDS = (
    *chargers.COMMANDS,
    *tariffs.COMMANDS,
    *cards.COMMANDS,
    *people.COMMANDS,
    *payments.COMMANDS,
    *gateway.COMMANDS,
    *charges.COMMANDS,
    *api_keys.COMMANDS,
    *machines.COMMANDS,
)
