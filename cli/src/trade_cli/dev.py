"""`trade dev up|down|status|restart|url`: runs the platform on this machine."""

import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from launcher import interrupt, lifecycle
from launcher.failures import LauncherError
from launcher.infrastructure import MODES
from launcher.layout import Layout, run_root
from launcher.services import SERVICES
from trade_cli.platform import CliError

T = TypeVar("T")
INTERRUPTED = 130
PARTS = (*SERVICES, "kafka", "database", "mail")
"""The parts that can be restarted alone."""

app = typer.Typer(
    help="Start, stop and inspect the platform on this machine.",
    no_args_is_help=True,
    epilog="Examples:  trade dev up  |  trade dev status --json  |  trade dev restart kafka  |  trade dev down",
)

Name = Annotated[str, typer.Option("--name", help="Which platform; each has its own ports and data in .run/<name>.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Infra = Annotated[str, typer.Option("--infra", help=f"Where Kafka and the database come from: {', '.join(MODES)}.")]
NewPorts = Annotated[bool, typer.Option("--new-ports", help="Choose new ports if a remembered one is taken.")]


Rebuild = Annotated[
    list[str] | None,
    typer.Option("--rebuild", help="Rebuild this service's lost database from its topic first; may be repeated."),
]


@app.command(epilog="Examples:  trade dev up  |  trade dev up --infra containers  |  trade dev up --name second --json")
def up(
    name: Name = "default",
    infra: Infra = "auto",
    new_ports: NewPorts = False,
    rebuild: Rebuild = None,
    as_json: AsJson = False,
) -> None:
    """Start the platform and leave it running; does nothing if it runs already."""
    if infra not in MODES:
        raise CliError(f"--infra must be one of {', '.join(MODES)}")
    if unknown := set(rebuild or ()) - set(SERVICES):
        raise CliError(f"--rebuild takes {', '.join(SERVICES)}, not {', '.join(sorted(unknown))}")
    description = _run(lifecycle.up(_layout(name), infra, _report, new_ports=new_ports, rebuild=rebuild or ()))
    if as_json:
        print(json.dumps(description))
    else:
        _show_addresses(description)


@app.command(epilog="Example:  trade dev down --name second")
def down(name: Name = "default", as_json: AsJson = False) -> None:
    """Stop the platform; its data is kept for the next `up`."""
    stopped = _run(lifecycle.down(_layout(name), _report))
    if as_json:
        print(json.dumps({"name": name, "stopped": stopped}))
    else:
        print("Stopped; the data is kept." if stopped else "No platform runs here.")


@app.command(epilog="Examples:  trade dev status  |  trade dev status --json")
def status(name: Name = "default", as_json: AsJson = False) -> None:
    """Show every process, and what had to be restarted; exit status 1 unless everything is ready."""
    found = _run(lifecycle.status(_layout(name)))
    if as_json:
        print(json.dumps(found or {"name": name, "state": "down"}))
    elif found is None:
        print("No platform runs here; `make up` starts one.")
    else:
        _show_status(found)
    if found is None or found["state"] != "ready":
        raise typer.Exit(1)


@app.command(
    epilog="Examples:  trade dev restart declarations  |  trade dev restart kafka  |  trade dev restart database --json"
)
def restart(
    part: Annotated[str, typer.Argument(help=f"{', '.join(PARTS)}.")],
    name: Name = "default",
    as_json: AsJson = False,
) -> None:
    """Restart one part of the running platform on the same ports and data, and wait until it is ready."""
    if part not in PARTS:
        raise CliError(f"there is no part {part!r}; there are {', '.join(PARTS)}")
    done = _run(lifecycle.restart(_layout(name), part, _report))
    if as_json:
        print(json.dumps(done))
    else:
        print(f"{part} is ready again (process {done['pid'] or 'in a container'}, {done['seconds']} s)")


@app.command(epilog="Examples:  trade dev url gateway  |  trade dev url declarations --admin")
def url(
    door: Annotated[str, typer.Argument(help="gateway or tracking; with --admin any service.")],
    admin: Annotated[bool, typer.Option("--admin", help="The port of /livez, /readyz and /metrics.")] = False,
    name: Name = "default",
) -> None:
    """Print the address of a service's HTTP door, for use in scripts: `curl "$(trade dev url gateway)/v1/…"`."""
    services = (_run(lifecycle.status(_layout(name))) or {}).get("services", {})
    if not services:
        raise CliError("no platform runs here; start one with `make up`")
    address = services.get(door, {}).get("admin" if admin else "http")
    if address is None:
        raise CliError(f"{door} has no HTTP door; gateway and tracking have one, every service has one with --admin")
    print(address)


def _layout(name: str) -> Layout:
    if not name or name.startswith(".") or Path(name).name != name:
        raise CliError(f"{name!r} is not a valid name for a platform: use letters, digits and dashes")
    return Layout(run_root() / name)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return interrupt.run(work)
    except LauncherError as error:
        raise CliError(str(error)) from None
    except interrupt.Interrupted:
        raise typer.Exit(INTERRUPTED) from None


def _report(line: str) -> None:
    Console(stderr=True, highlight=False).print(line, markup=False, soft_wrap=True)


def _show_addresses(description: dict[str, Any]) -> None:
    user, password = description["tracking_user"], description["tracking_password_file"]
    rows = {
        "gateway": description["gateway_url"],
        "support console": f"{description['tracking_url']}  (user {user}, password in {password})",
        "kafka": description["kafka"],
        "database": f"{description['mongo_url'].rpartition('@')[2]}  ({description['database']})",
        "mails": description["mail_dir"],
        "logs": description["logs_dir"],
    }
    _plain(rows)


def _show_status(found: dict[str, Any]) -> None:
    lines = {"state": found["state"]}
    restarts = found.get("restarts", {})
    for name, each in found["services"].items():
        lines[name] = (
            f"{'ready' if each['ready'] else 'not ready'}  process {each['pid']}  {each['http'] or each['grpc']}"
        )
    for name, each in found["parts"].items():
        lines[name] = f"{_life(each)}  {each['address'].rpartition('@')[2]}  ({each['kind']})"
    for name, note in restarts.items():
        lines[f"{name} restarted"] = f"{note['count']} times, last {note['last']}: {note['reason']}"
    _plain(lines)


def _life(part: dict[str, Any]) -> str:
    match part["alive"]:
        case None:
            return "no process of ours"
        case True:
            return f"runs  process {part['pid']}"
        case _:
            return f"dead  process {part['pid']}"


def _plain(rows: dict[str, str]) -> None:
    width = max(len(what) for what in rows)
    for what, where in rows.items():
        print(f"{what:<{width}}  {where}")
