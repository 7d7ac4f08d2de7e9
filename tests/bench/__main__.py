"""`python -m bench`: measures, prints the table, and writes table and JSON to a file."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bench import doors, filled, machine, memory, passages, shipments, starting, steps, stored
from bench.figures import Figure, table
from bench.ground import Ground, Sizes, on_ground
from chassis.telemetry import logs
from launcher.failures import LauncherError

GROUPS: Mapping[str, Callable[[Ground], Awaitable[list[Figure]]]] = {
    "passages": passages.measure,
    "core": steps.measure,
    "shipments": shipments.measure,
    "doors": doors.measure,
    "start": starting.measure,
    "memory": memory.measure,
    "stored": stored.measure,
    "filled": filled.measure,
}
"""In order of execution: memory at rest needs freshly started services; the longest groups are last."""

ASKED_FOR = {"filled"}
"""Groups measured only if named with `--only`, because they take longer than all others together."""

MIN_ROUNDS = 5
RESULTS = machine.ROOT / "bench"
IN_FLIGHT, SMALL_IN_FLIGHT = (1, 10, 50, 200, 1000), (1, 3)
PAST, SMALL_PAST = (100, 1_000, 10_000), (3, 6)

app = typer.Typer()


@app.command(
    epilog="Examples:  make bench  |  make bench ARGS='--only core --rounds 3'  |  "
    "make bench ARGS='--only doors --json'  |  BENCH_MONGO=mongodb://127.0.0.1:27017 make bench"
)
def bench(
    only: Annotated[list[str] | None, typer.Option("--only", help=f"{', '.join(GROUPS)}; repeat for several.")] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Number of measurements of each figure.")] = MIN_ROUNDS,
    in_flight: Annotated[
        list[int] | None, typer.Option("--in-flight", min=1, help="Concurrent shipments; repeat for several.")
    ] = None,
    past: Annotated[
        list[int] | None, typer.Option("--past", min=1, help="Past shipments stored (filled); repeat for several.")
    ] = None,
    beside: Annotated[
        Path | None, typer.Option("--beside", exists=True, help="JSON of another run to compare with.")
    ] = None,
    small: Annotated[bool, typer.Option("--small", help="Tiny sizes, to check that every figure is produced.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    to: Annotated[Path, typer.Option("--to", help="Folder for the result; --small writes none.")] = RESULTS,
) -> None:
    """Measure the cost of the platform, in comparison with hand-written code, on servers of this run only.

    The machine should be idle. The database is the one that BENCH_MONGO names, or a `mongod` or `secantusd-rs`
    on the path, or else the embedded one, which then limits the results. Everything takes some half an hour on
    two cores. The exit status is 0 whatever the figures: they are recorded, not asserted.
    """
    sizes = Sizes(
        rounds,
        small,
        tuple(in_flight or (SMALL_IN_FLIGHT if small else IN_FLIGHT)),
        tuple(past or (SMALL_PAST if small else PAST)),
    )
    chosen = list(only or (name for name in GROUPS if name not in ASKED_FOR))
    if unknown := [each for each in chosen if each not in GROUPS]:
        raise typer.BadParameter(f"{', '.join(unknown)}; the groups are {', '.join(GROUPS)}")
    other = json.loads(beside.read_text()) if beside is not None else {}
    logs.configure("bench", "ERROR", stream=sys.stderr)
    console = Console(stderr=as_json, highlight=False, width=None if Console().is_terminal else 160)
    try:
        result, figures = asyncio.run(_measure(chosen, sizes, console, to, whole=not only, beside=other))
    except LauncherError as error:
        console.print(str(error))
        raise typer.Exit(1) from None
    if as_json:
        print(json.dumps(result))
    else:
        console.print(table(figures, other))


async def _measure(
    chosen: Sequence[str], sizes: Sizes, console: Console, to: Path, *, whole: bool, beside: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Figure]]:
    """Measure the groups in order; write the results after each, so that an interruption loses only the rest."""
    figures: list[Figure] = []
    result: dict[str, Any] = {"measured": [], "rounds": sizes.rounds, "small": sizes.small}
    with tempfile.TemporaryDirectory(prefix="trade-bench-") as folder:
        async with on_ground(Path(folder), sizes, report=console.print) as ground:
            result["machine"] = machine.describe(ground.infrastructure)
            for name in (each for each in GROUPS if each in chosen):
                console.print(f"Measuring: {name}")
                figures += await GROUPS[name](ground)
                result["measured"].append(name)
                result["machine"]["load_after"] = machine.load()
                result["figures"] = [each.as_json() for each in figures]
                if not sizes.small:
                    groups = () if whole else chosen
                    console.print(f"Written to {_write(to, result, figures, groups, beside)}")
    return result, figures


def _write(
    to: Path, result: Mapping[str, Any], figures: Sequence[Figure], groups: Sequence[str], beside: Mapping[str, Any]
) -> Path:
    """Write JSON and table; the file name has the day, the kind of machine, the database and, if not all were
    measured, the groups. Returns the table's file."""
    to.mkdir(parents=True, exist_ok=True)
    about = result["machine"]
    kind = f"{datetime.now(UTC):%Y-%m-%d}-{about['name']}-{about['database'].lower()}"
    name = "-".join([kind, *groups])
    (to / f"{name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    page = Console(width=170, record=True, file=(to / f"{name}.txt").open("w"), highlight=False)
    for what, value in about.items():
        page.print(f"{what:12}  {value}")
    page.print()
    page.print(table(figures, beside))
    for figure in figures:
        if figure.note:
            page.print(f"{figure.name}: {figure.note}.")
    page.file.close()
    return to / f"{name}.txt"


if __name__ == "__main__":
    app()
