"""All cells, and the selection for one run."""

import random
from collections.abc import Sequence

from chaos.cells import (
    crowd,
    deliveries,
    inbox,
    links,
    matrix,
    payments,
    poison,
    pressure,
    rebalances,
    restore,
    servers,
    simulated,
    six_services,
    timers,
    topics,
)
from chaos.cells.ground import Cell
from chaos.releases import declarations_roll, toy_roll

CELLS: Sequence[Cell] = (
    *simulated.CELLS,
    *matrix.CELLS,
    *six_services.CELLS,
    *inbox.CELLS,
    *links.CELLS,
    *servers.CELLS,
    *topics.CELLS,
    *deliveries.CELLS,
    *poison.CELLS,
    *rebalances.CELLS,
    *timers.CELLS,
    *payments.CELLS,
    *pressure.CELLS,
    *restore.CELLS,
    *toy_roll.CELLS,
    *declarations_roll.CELLS,
    *crowd.CELLS,
)
"""Every cell there is."""

SAMPLE_SHARE = 5
"""A sample has one in this many cells of each group, and at least one."""


def chosen(cells: Sequence[Cell], *, only: str, sample: bool, seed: str) -> list[Cell]:
    """The cells of a run: all, those whose group or name contains a text, or a seeded part of every group."""
    wanted = [cell for cell in cells if only in f"{cell.group}: {cell.name}"]
    if not sample:
        return wanted
    wanted = [cell for cell in wanted if cell.in_samples]
    groups: dict[str, list[Cell]] = {}
    for cell in wanted:
        groups.setdefault(cell.group, []).append(cell)
    chance = random.Random(seed)
    return [cell for mine in groups.values() for cell in chance.sample(mine, -(-len(mine) // SAMPLE_SHARE))]
