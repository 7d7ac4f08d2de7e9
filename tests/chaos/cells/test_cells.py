"""A few cells of `make crash`, on every run of the tests; and the completeness of their catalogue."""

from collections import Counter
from pathlib import Path

import pytest
from chaos.cells.catalogue import CELLS, chosen
from chaos.cells.ground import Cell, Ground

from chassis.failpoints import POINTS, Fault
from launcher.infrastructure import Infrastructure

SEED = 20261125


def name_of(cell: Cell) -> str:
    return f"{cell.group}-{cell.name}".replace(" ", "")


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.in_tests], ids=name_of)
async def test_a_fault_leaves_every_promise_kept(infrastructure: Infrastructure, tmp_path: Path, cell: Cell) -> None:
    assert not cell.own_servers, "it would kill the servers of its neighbours"
    await cell.run(Ground(infrastructure, tmp_path, f"tested{CELLS.index(cell)}", SEED))


def test_every_fail_point_meets_every_fault() -> None:
    names = {cell.name for cell in CELLS}
    assert {f"{point} × {fault}" for point in POINTS for fault in Fault} <= names
    assert len(names) == len(CELLS), "a cell is named by its name alone when it is tried again"


def test_a_sample_has_a_part_of_every_group_and_follows_from_its_seed() -> None:
    sample = chosen(CELLS, only="", sample=True, seed="a")
    assert sample == chosen(CELLS, only="", sample=True, seed="a")
    assert sample != chosen(CELLS, only="", sample=True, seed="b")
    all_of, some_of = Counter(cell.group for cell in CELLS), Counter(cell.group for cell in sample)
    assert all(all_of[group] / 6 < some_of[group] < max(2, all_of[group]) for group in all_of)
