"""The simulation's seeded schedules as cells, each in its own process: a thousand seeds in total."""

import asyncio
import json
import sys
from collections.abc import Sequence
from functools import partial

from chaos.cells.ground import Cell, Ground, Verdict

SHARE = 100
SEEDS = 1000


async def simulate(first: int, ground: Ground) -> Sequence[Verdict]:
    """A range of seeds from `first` on; the cell's name contains them, so the ground's own seed does not matter."""
    command = ["-m", "chaos.simulation", "--seeds", str(SHARE), "--first", str(first), "--jobs", "1", "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, error = await process.communicate()
    except BaseException:
        process.kill()
        raise
    assert out, error.decode(errors="replace")[-1500:]
    told = json.loads(out)
    verdicts = [Verdict(each["number"], each["looked_at"], each["faults"]) for each in told["verdicts"]]
    faults = [fault for each in verdicts for fault in each.faults]
    again = f"PYTHONPATH=tests .venv/bin/python -m chaos.simulation --first {first} --seeds {SHARE}"
    assert not told["failed"], f"{told['failed']} seeds failed, {again} names them\n" + "\n".join(faults[:8])
    return verdicts


CELLS: Sequence[Cell] = tuple(
    Cell("simulation", f"seeds {first} to {first + SHARE - 1}", partial(simulate, first), limit_seconds=600.0)
    for first in range(0, SEEDS, SHARE)
)
