"""Lives of a model and of the product beside each other, whose events come in any order that Hypothesis thinks of."""

from collections.abc import Callable
from contextlib import closing

from hypothesis import HealthCheck
from hypothesis import settings as effort
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from domain.db import Database


def lived(url: str, life: Callable[[Database], RuleBasedStateMachine], *, lives: int, steps: int) -> None:
    """So many of them, of so many steps each, on one database."""
    with closing(Database(url)) as database:
        run_state_machine_as_test(
            lambda: life(database),
            settings=effort(
                max_examples=lives,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
