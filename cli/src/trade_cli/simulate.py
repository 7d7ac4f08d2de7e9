"""`trade simulate`: puts load on the running platform of this machine, through its public doors."""

import asyncio
import contextlib
import ipaddress
import json
import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table

from chassis.tasks import cancel
from trade_cli.declaration_feed import feed
from trade_cli.demo_facts import facts
from trade_cli.doors import doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.load import Load, progress, report, shipments
from trade_cli.platform import CliError, Platform, load_platform

app = typer.Typer()


CONNECTIONS = 50
"""Connections of the load to the gateway, however many shipments are in progress."""
PROGRESS_SECONDS = 5.0


@app.command(
    epilog="Examples:  trade simulate --shipments 100 --seed 7  |  trade simulate --shipments 5000 --side-by-side 1000"
    "  |  trade simulate --shipments 600 --rate 5 --json"
)
def simulate(
    count: Annotated[int, typer.Option("--shipments", min=1, max=100_000, help="Number of shipments.")] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same load.")] = 1,
    side_by_side: Annotated[
        int, typer.Option("--side-by-side", min=1, max=10_000, help="Maximum number in progress.")
    ] = 10,
    rate: Annotated[
        float | None,
        typer.Option("--rate", min=0.01, help="Shipments to begin per second. Default: begin one when one ends."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Play shipments from lodging to closing and measure them, on the platform of this machine.

    Reports progress; when stopped with Ctrl-C it reports what it has measured so far. Exit status 0 if every shipment
    was closed. Each seed can be used once per platform: a second run with it is refused.
    """
    found = asyncio.run(_simulate(load_platform(), count, seed, side_by_side, rate))
    if as_json:
        print(json.dumps(found))
    else:
        _show(found)
    raise typer.Exit(0 if found["closed"] == count else 1)


async def _simulate(platform: Platform, count: int, seed: int, side_by_side: int, rate: float | None) -> dict[str, Any]:
    check_loopback(platform.gateway_url)
    told = facts()
    keys = await _keys(platform)
    tell = Console(stderr=True).print
    async with doors(platform, connections=min(side_by_side, CONNECTIONS)) as gateway, feed(platform.kafka) as said:
        load = Load(gateway, said, keys, told.declarant)
        showing = asyncio.create_task(progress(load, count, PROGRESS_SECONDS, tell))
        started = time.monotonic()
        with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C: report what is known
            await load.run(shipments(told, count, seed), side_by_side=side_by_side, rate=rate)
        await cancel([showing])
        return {"seed": seed, **report(load.times, time.monotonic() - started)}


async def _keys(platform: Platform) -> Mapping[str, str]:
    """Keys of the load's firm and partners, created once per platform and stored with its own."""
    kept = platform.keys_dir / "simulation.json"
    if kept.exists():
        keys: Mapping[str, str] = json.loads(kept.read_text())
        return keys
    told = facts()
    await register(platform, told.enterprises)
    firms = [each for each in told.enterprises if each.id == told.declarant]
    keys = await issue_keys(platform, firms, told.partners, label="simulation")
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(dict(keys)))
    return keys


def check_loopback(url: str) -> None:
    """Refuse to put load on another machine.

    Raises:
        CliError: the address is not on this machine.
    """
    host = urlsplit(url).hostname or ""
    try:
        own = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own:
        raise CliError(f"simulate only works with a platform on this machine, not with {host or url}")


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
