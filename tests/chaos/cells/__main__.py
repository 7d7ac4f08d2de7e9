"""`make crash`: runs and judges every cell concurrently; prints a table, and exits with 1 if one failed.

    python -m chaos.cells                              everything, some twenty minutes on two cores
    python -m chaos.cells --sample --seed 4526af1      a seeded part of every group
    python -m chaos.cells --only "save.after × kill"   the cells whose group or name contains this
    python -m chaos.cells --list                       the names of all cells

A failing cell is printed with the command that repeats it: its seed derives from the run's seed and its name.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from chaos.cells import matrix
from chaos.cells.catalogue import CELLS, chosen
from chaos.cells.ground import Cell, Ground
from chaos.judging.verdicts import NAMES, Verdict, total
from rich.console import Console
from rich.table import Table

from launcher import interrupt
from launcher.failures import LauncherError
from launcher.infrastructure import Infrastructure

SIDE_BY_SIDE = 3
OWN_SIDE_BY_SIDE = 2
"""How many cells with their own servers run beside the others."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one cell."""

    group: str
    name: str
    seconds: float
    verdicts: Sequence[Verdict] = ()
    fault: str = ""
    """Why it failed; empty if it passed."""


class Run:
    """Runs cells concurrently on shared servers; cells that harm servers get their own."""

    def __init__(self, cells: Sequence[Cell], seed: str, folder: Path, say: Console) -> None:
        self._cells = cells
        self._seed = seed
        self._folder = folder
        self._say = say
        self._places = {False: asyncio.Semaphore(SIDE_BY_SIDE), True: asyncio.Semaphore(OWN_SIDE_BY_SIDE)}
        self.results: list[Result] = []

    async def all(self) -> None:
        """Run every cell, and add each outcome to `results`."""
        async with AsyncExitStack() as stack:
            shared = None
            if any(not cell.own_servers for cell in self._cells):
                shared = await stack.enter_async_context(Infrastructure(self._folder / "servers"))
            async with asyncio.TaskGroup() as group:
                for number, cell in enumerate(self._cells):
                    group.create_task(self._one(number, cell, shared))

    async def _one(self, number: int, cell: Cell, shared: Infrastructure | None) -> None:
        async with self._places[cell.own_servers]:
            started = time.monotonic()
            folder = self._folder / f"cell{number}"
            seed = zlib.crc32(f"{self._seed} {cell.group} {cell.name}".encode())
            verdicts: Sequence[Verdict] = ()
            fault = ""
            try:
                async with AsyncExitStack() as stack:
                    servers = shared
                    if cell.own_servers or servers is None:
                        servers = await stack.enter_async_context(Infrastructure(folder / "servers"))
                    async with asyncio.timeout(cell.limit_seconds):
                        verdicts = await cell.run(Ground(servers, folder, f"cell{number}", seed))
            except Exception as error:
                fault = _why(error)
                (folder / "failure.txt").write_text("".join(traceback.format_exception(error)))
            self._note(Result(cell.group, cell.name, round(time.monotonic() - started, 1), verdicts, fault), folder)

    def _note(self, result: Result, folder: Path) -> None:
        self.results.append(result)
        place = f"[{len(self.results):>3}/{len(self._cells)}]"
        self._say.print(
            f"{place} {'FAILED' if result.fault else 'ok'}  {result.group}: {result.name}  {result.seconds} s"
        )
        if result.fault:
            again = f"make crash ARGS='--seed {self._seed} --only \"{result.name}\"'"
            self._say.print(f"          {result.fault[:1500]}\n          logs: {folder}\n          again: {again}")


def _why(error: BaseException) -> str:
    """An error in one or a few lines; an exception group as its members."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_why(each) for each in error.exceptions)
    if isinstance(error, TimeoutError):
        return f"not done in time: {error}"
    return f"{type(error).__name__}: {error}"


def _tables(results: Sequence[Result]) -> Iterator[Table]:
    points = Table("fail point", "kill", "freeze", "lose", title="Fail points × faults: things judged, or FAILED")
    marks: dict[str, dict[str, str]] = {}
    for each in results:
        if each.group == matrix.GROUP:
            point, _, fault = each.name.partition(" × ")
            judged = sum(verdict.looked_at for verdict in each.verdicts)
            marks.setdefault(point, {})[fault] = "FAILED" if each.fault else str(judged)
    for point, mine in marks.items():
        points.add_row(point, *(mine.get(fault, "") for fault in ("kill", "freeze", "lose")))
    if marks:
        yield points
    others = [each for each in results if each.group != matrix.GROUP]
    if others:
        table = Table("group", "cell", "seconds", "things judged", title="Other cells")
        for each in sorted(others, key=lambda each: each.group):
            judged = sum(verdict.looked_at for verdict in each.verdicts)
            table.add_row(each.group, each.name, str(each.seconds), "FAILED" if each.fault else str(judged))
        yield table
    invariants = Table("invariant", "", "things looked at", title="All cells together")
    for verdict in total(each.verdicts for each in results):
        invariants.add_row(str(verdict.number), NAMES[verdict.number], str(verdict.looked_at))
    yield invariants


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make crash", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", action="store_true", help="a seeded part of every group")
    parser.add_argument("--seed", default="1", help="any text; the same seed gives the same run")
    parser.add_argument("--only", default="", metavar="WORD", help="cells with this in their group or name")
    parser.add_argument("--list", action="store_true", help="name the cells and do nothing")
    parser.add_argument("--report", type=Path, help="write the results there as JSON")
    return parser.parse_args()


def main() -> int:
    arguments, say = _arguments(), Console(soft_wrap=True, highlight=False, markup=False)
    cells = chosen(CELLS, only=arguments.only, sample=arguments.sample, seed=arguments.seed)
    if arguments.list or not cells:
        say.print("\n".join(f"{cell.group}: {cell.name}" for cell in cells) or f"no cell has {arguments.only!r} in it")
        return 0 if cells else 2
    folder = Path(tempfile.mkdtemp(prefix="trade-crash-"))
    started = time.monotonic()
    run = Run(cells, arguments.seed, folder, say)
    at_once = SIDE_BY_SIDE + OWN_SIDE_BY_SIDE
    say.print(f"{len(cells)} cells, up to {at_once} side by side, seed {arguments.seed}; logs below {folder}")
    try:
        interrupt.run(run.all())
    except interrupt.Interrupted:
        say.print("interrupted")
        return 130
    except LauncherError as error:
        say.print(str(error))
        return 1
    for table in _tables(run.results):
        say.print(table)
    failed = [each for each in run.results if each.fault]
    took = round(time.monotonic() - started)
    say.print(f"{len(run.results) - len(failed)} of {len(cells)} cells held, {len(failed)} failed, {took} s")
    if arguments.report:
        report = {"seed": arguments.seed, "seconds": took, "cells": [asdict(each) for each in run.results]}
        arguments.report.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
