"""`trade simulate`: load through the public doors of the running platform on this machine."""

import asyncio
import ipaddress
import json
import time
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table

from trade_cli.demo_facts import facts
from trade_cli.doors import doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.load import Load, report, shipments
from trade_cli.platform import CliError, Platform, load_platform
from trade_cli.tracking_client import tracking

app = typer.Typer()


@app.command(epilog="Examples:  trade simulate --shipments 100 --seed 7  |  trade simulate --shipments 20 --json")
def simulate(
    count: Annotated[int, typer.Option("--shipments", min=1, max=100_000, help="How many to play.")] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same load.")] = 1,
    side_by_side: Annotated[int, typer.Option("--side-by-side", min=1, max=200, help="How many at a time.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Play shipments from lodging to closing and measure them; only on a platform of this machine.

    Exit status 0 if every one was closed. A seed is used up once: a second run with it repeats declarations
    that are closed already, and measures nothing but duplicates.
    """
    found = asyncio.run(_simulate(load_platform(), count, seed, side_by_side))
    if as_json:
        print(json.dumps(found))
    else:
        _show(found)
    raise typer.Exit(0 if found["closed"] == found["shipments"] else 1)


async def _simulate(platform: Platform, count: int, seed: int, side_by_side: int) -> dict[str, Any]:
    for url in (platform.gateway_url, platform.tracking_url):
        check_loopback(url)
    told = facts()
    await register(platform, told.enterprises)
    firms = [each for each in told.enterprises if each.id == told.declarant]
    keys = await issue_keys(platform, firms, told.partners, label=f"simulation {seed}")
    async with doors(platform, connections=side_by_side) as gateway, tracking(platform) as desk:
        started = time.monotonic()
        times = await Load(gateway, desk, keys, told.declarant).run(
            shipments(told, count, seed), side_by_side=side_by_side
        )
        return {"seed": seed, **report(times, time.monotonic() - started)}


def check_loopback(url: str) -> None:
    """A load is for the own machine only.

    Raises:
        CliError: the address is another machine's.
    """
    host = urlsplit(url).hostname or ""
    try:
        own = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own:
        raise CliError(f"simulate is for a platform on this machine, not for {host or url}")


def _show(found: dict[str, Any]) -> None:
    console = Console()
    console.print(
        f"{found['closed']} of {found['shipments']} shipments closed in {found['seconds']} s, "
        f"{found['shipments_per_second']} a second"
    )
    table = Table()
    for name in ("step", "p50", "p95", "p99", "max"):
        table.add_column(name)
    for step, ranks in found["latency_seconds"].items():
        table.add_row(step.replace("_", " "), *(f"{value:.3f} s" for value in ranks.values()))
    console.print(table)
    for problem in found["problems"]:
        console.print(problem, style="red", markup=False)
