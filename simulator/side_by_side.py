"""Work that goes on side by side until one part ends.

Not a TaskGroup: that of Python 3.11 forgets a cancellation that arrives while one of its tasks is failing, and what
lives as long as a lost line or a cleared desk would then live on for ever.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def side_by_side(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of this until one part ends; the others are cancelled then, and its failure is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
