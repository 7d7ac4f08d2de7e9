"""The simulation from the command line.

    python -m chaos.simulation --seeds 1000              so many seeds, from --first on, on every core
    python -m chaos.simulation --seed 4711 -v            one seed, with its schedule, message for message
    python -m chaos.simulation --plants                  which invariants see which planted fault
    python -m chaos.simulation --seed 7 --plant "offset before save"

`tests` must be on PYTHONPATH. A failing seed is printed with the command that repeats it; exit status 1.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial

from chaos.judging.verdicts import Verdict, faults_of, table, total
from chaos.simulation.plants import PLANTS, planted
from chaos.simulation.scenario import Outcome, play

SHARE = 20
"""Seeds that a worker takes at a time."""
FAULTS_SHOWN = 8


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m chaos.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("-v", "--verbose", action="store_true", help="with --seed: its schedule")
    parser.add_argument("--plant", choices=list(PLANTS), default="", metavar="NAME", help="break the core in this way")
    parser.add_argument("--plants", action="store_true", help="try every plant on --seeds seeds (at most 60)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side")
    parser.add_argument("--json", action="store_true", help="the verdicts as JSON, nothing else")
    return parser.parse_args()


def _play(plant: str, seed: int) -> Outcome:
    with planted(plant):
        return play(seed)


def _outcomes(plant: str, seeds: Sequence[int], jobs: int) -> Iterator[Outcome]:
    if jobs <= 1:
        yield from map(partial(_play, plant), seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(partial(_play, plant), seeds, chunksize=SHARE)


def _again(outcome: Outcome, plant: str) -> str:
    broken = f' --plant "{plant}"' if plant else ""
    return f"PYTHONPATH=tests .venv/bin/python -m chaos.simulation --seed {outcome.seed} -v{broken}"


def _many(arguments: argparse.Namespace) -> int:
    started, failed, verdicts = time.monotonic(), 0, list[Sequence[Verdict]]()
    for outcome in _outcomes(
        arguments.plant, range(arguments.first, arguments.first + arguments.seeds), arguments.jobs
    ):
        verdicts.append(outcome.verdicts)
        if outcome.red:
            failed += 1
            _tell(
                arguments, f"seed {outcome.seed} broke {sorted(outcome.red)}; again: {_again(outcome, arguments.plant)}"
            )
            for fault in faults_of(outcome.verdicts)[:FAULTS_SHOWN]:
                _tell(arguments, f"    {fault}")
        if len(verdicts) % 100 == 0:
            _tell(arguments, f"{len(verdicts)} of {arguments.seeds} seeds, {failed} failed")
    together = total(verdicts)
    if arguments.json:
        print(json.dumps({"seeds": len(verdicts), "failed": failed, "verdicts": [asdict(each) for each in together]}))
    else:
        took = time.monotonic() - started
        print(f"{table(together)}\n{len(verdicts)} seeds, {failed} failed, {took:.0f} s")
    return 1 if failed else 0


def _tell(arguments: argparse.Namespace, text: str) -> None:
    if not arguments.json:
        print(text, flush=True)


def _one(arguments: argparse.Namespace) -> int:
    with planted(arguments.plant):
        outcome = play(arguments.seed, say=print if arguments.verbose else None)
    if arguments.json:
        print(json.dumps(asdict(outcome)))
    else:
        print(table(outcome.verdicts))
        print("\n".join(faults_of(outcome.verdicts)) or "every promise was kept")
        print(f"seed {outcome.seed}: {outcome.calls} messages in {outcome.seconds} virtual seconds, {outcome.digest}")
    return 1 if outcome.red else 0


def _all_plants(arguments: argparse.Namespace) -> int:
    """The table of planted faults × invariants, as Markdown: in how many seeds each went red."""
    seeds, missed = range(arguments.first, arguments.first + min(arguments.seeds, 60)), 0
    numbers = range(1, 11)
    print(f"| planted fault ({len(seeds)} seeds) | {' | '.join(map(str, numbers))} |")
    print(f"|---|{'---|' * len(numbers)}")
    for name, plant in PLANTS.items():
        red = [outcome.red for outcome in _outcomes(name, seeds, arguments.jobs)]
        counts = {number: sum(number in each for each in red) for number in numbers}
        missed += any(not counts[number] for number in plant.expected)
        cells = [f"**{counts[n] or '0'}**" if n in plant.expected else str(counts[n] or "") for n in numbers]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return 1 if missed else 0


def main() -> int:
    arguments = _arguments()
    if arguments.plants:
        return _all_plants(arguments)
    return _many(arguments) if arguments.seed is None else _one(arguments)


if __name__ == "__main__":
    sys.exit(main())
