"""The whole platform under traffic and seeded faults of every kind, for as long as asked; the checker at the end.

    make soak MINUTES=10 SEED=20261125

Ctrl-C ends the faults and the traffic early; what was started is seen through and judged all the
same. A second Ctrl-C ends at once. Exit status 0: every promise was kept; 1: one was not, or
nothing was there to keep.
"""

import argparse
import asyncio
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from chaos.soak.run import soak

from launcher.layout import run_root


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m chaos.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults and traffic go on (10)")
    parser.add_argument("--seed", type=int, help="eight digits at most; decides every fault and shipment (random)")
    parser.add_argument("--folder", type=Path, help="new folder for data, logs and report (.run/soak-<seed>)")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else random.randrange(10_000_000, 90_000_000)
    folder = given.folder or run_root() / f"soak-{seed}"
    if folder.exists():
        parser.error(f"{folder} is there already: choose another --seed or --folder")
    print(f"seed {seed}; data, logs and report in {folder}", flush=True)
    told = asyncio.run(soak(given.minutes, seed, folder))
    print(told.text(), end="")
    if told.kept:
        for data in (folder / "kafka", folder / "database"):
            shutil.rmtree(data, ignore_errors=True)
    print(f"report: {folder / 'report' / 'report.json'}")
    return 0 if told.kept else 1


if __name__ == "__main__":
    sys.exit(main())
