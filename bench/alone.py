"""This CSMS with a domain that keeps no sample and a journal that writes no line: its session layer alone.

`python -m bench.alone` serves like `python -m csms`. Beside peers that keep nothing it is what performance.md compares
in T1 and T2; what the product costs with everything on is measured beside it.
"""

import sys
from typing import Any

from csms.__main__ import main
from csms.batches import Done
from csms.journal import Journal
from csms.meter_log import MeterLog
from domain.samples import Sample


def _kept(_log: MeterLog, _sample: Sample, done: Done[None]) -> None:
    done(None, None)


def _noted(_journal: Journal, *_line: Any, **_answer: Any) -> None:
    return None


if __name__ == "__main__":
    MeterLog.hand = _kept  # type: ignore[method-assign]
    Journal.note = _noted  # type: ignore[method-assign]
    sys.exit(main())
