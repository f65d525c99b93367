"""What a run of the simulation has in place of the machine's clock and chance, so that it can be repeated."""

from datetime import UTC, datetime
from random import Random

BEGAN = datetime(2026, 11, 22, 6, tzinfo=UTC)


class SeededSecrets:
    """Ids from the seed: the same run has the same names."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice

    def token_hex(self, size: int) -> str:
        return self._dice.randbytes(size).hex()

    def choice(self, letters: str) -> str:
        return self._dice.choice(letters)


class FakeClock:
    def __init__(self) -> None:
        self.at = BEGAN

    def __call__(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()
