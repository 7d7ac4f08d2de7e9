"""`trade parked`: shows deliveries that could not be processed, and redrives or discards them.

Every service stores its own parked deliveries; without `--service` all services are asked. Listing changes nothing;
`redrive` and `discard` require a reason, which is kept in the audit with the person's name (TRADE_STAFF, otherwise the
login).
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from trade.parking.v1 import parking_pb2 as pb
from trade_cli import parked_client as client
from trade_cli import parked_words as words
from trade_cli.platform import load_platform

if TYPE_CHECKING:  # the generated type has no body
    from trade.parking.v1.parking_pb2_grpc import ParkingServiceAsyncStub

app = typer.Typer(
    help="Deliveries that could not be processed: list, explain, redrive (replay in order) or discard them.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="Examples:  trade parked list --by target  |  trade parked explain TARGET  |  "
    'trade parked redrive TARGET --reason "fixed"  |  trade parked audit',
)


class By(StrEnum):
    delivery = "delivery"
    target = "target"


Service = Annotated[str, typer.Option("--service", "-s", help="Only this service; default: all of them.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the audit.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before acting.")]
Only = Annotated[str, typer.Option("--target", "-t", help="Only this target.")]
Limit = Annotated[int, typer.Option(min=1, help="Maximum number per service.")]


@app.command(
    "list",
    epilog="Examples:  trade parked list --by target  |  trade parked list --service declarations  |  "
    "trade parked list --json",
)
def list_parked(
    service: Service = "",
    target: Only = "",
    by: Annotated[By, typer.Option(help="One row per delivery, or per target with its count.")] = By.delivery,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """List parked deliveries, oldest first, or parked targets by name."""
    if by is By.target:
        _list_targets(service, target, limit, as_json=as_json)
        return
    platform = load_platform()
    found = asyncio.run(client.everywhere(platform, service, lambda stub: client.deliveries(stub, target, limit)))
    rows = [{"service": name, **words.delivery(each)} for name, parked in found.items() for each in parked]
    columns = ("service", "id", "event", "reason", "error", "parked at")
    lines = [
        (row["service"], row["id"], row["event_type"] or "-", row["reason"], row["error"], row["parked_at"])
        for row in rows
    ]
    _print(found, rows, columns, lines, as_json=as_json)


def _list_targets(service: str, target: str, limit: int, *, as_json: bool) -> None:
    found = asyncio.run(client.everywhere(load_platform(), service, lambda stub: client.targets(stub, limit)))
    rows = [
        {"service": name, **words.target(each)}
        for name, (parked, _) in found.items()
        for each in parked
        if target in {"", each.target}
    ]
    for name, (_, breaker) in found.items():
        if breaker is not None:
            open_ = words.breaker(breaker)
            message = f"the breaker is open since {open_['opened_at']} ({open_['reason']}): nothing is consumed"
            print(f"trade: {name}: {message}", file=sys.stderr)
    columns = ("service", "target", "waiting", "since", "reason", "error")
    lines = [
        (row["service"], row["target"], row["waiting"], row["since"], row["first"]["reason"], row["first"]["error"])
        for row in rows
    ]
    _print(found, rows, columns, lines, as_json=as_json)


def _print(
    found: client.Answers[Any],
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    lines: Sequence[Sequence[object]],
    *,
    as_json: bool,
) -> None:
    """What is parked: as rows for a program, as lines for a person."""
    if as_json:
        words.print_json(rows)
    elif not rows:
        print(words.nothing("nothing is parked", found, found.away))
    else:
        words.print_rows(columns, lines)


@app.command(
    epilog="Examples:  trade parked explain D-77  |  trade parked explain 'inbox.port-qd|K' --service gateway --json"
)
def explain(
    target: Annotated[str, typer.Argument(help="As `parked list --by target` prints it.")],
    service: Service = "",
    limit: Annotated[int, typer.Option(min=1, max=client.PAGE, help="Maximum number of deliveries.")] = 20,
    as_json: Json = False,
) -> None:
    """Explain why a target is parked, since when, how many deliveries wait, and what a redrive would do."""

    async def ask(stub: "ParkingServiceAsyncStub") -> pb.PlanRedriveResponse:
        request = pb.PlanRedriveRequest(target=target, page_size=limit)
        return await stub.PlanRedrive(request, timeout=client.DEADLINE_SECONDS)

    found = asyncio.run(client.where_parked(load_platform(), service, ask, target))
    rows = [{"service": name, **words.plan(each)} for name, each in found.items()]
    if as_json:
        words.print_json(rows)
        return
    for row in rows:
        print("\n".join(words.explain(row["service"], row)))


@app.command(epilog="Example:  trade parked show declarations.events.v1/0/42/D-77")
def show(
    delivery: Annotated[str, typer.Argument(metavar="ID", help="As `parked list` prints it.")],
    service: Service = "",
    as_json: Json = False,
) -> None:
    """Show one parked delivery with its headers, its content and its stack."""

    async def ask(stub: "ParkingServiceAsyncStub") -> pb.ShowParkedResponse:
        return await stub.ShowParked(pb.ShowParkedRequest(id=delivery), timeout=client.DEADLINE_SECONDS)

    name, found = asyncio.run(client.first(load_platform(), service, ask, delivery))
    row = {
        "service": name,
        **words.delivery(found.parked),
        "headers": {key: value.decode(errors="replace") for key, value in sorted(found.headers.items())},
        "value": found.value.decode(errors="replace"),
        "stack": found.stack,
    }
    if as_json:
        words.print_json(row)
        return
    table = Table(show_header=False)
    for label, value in row.items():
        shown = "\n".join(f"{k}: {v}" for k, v in value.items()) if label == "headers" else value
        table.add_row(label, words.escaped(shown))
    words.print_table(table)


@app.command(
    epilog='Examples:  trade parked redrive D-77 --service declarations --reason "rule corrected in 1.4.2"  |  '
    "trade parked redrive '~breaker' --service gateway --reason \"cause fixed\""
)
def redrive(
    target: Annotated[str, typer.Argument(help="Whose deliveries to replay, in order; ~breaker closes the breaker.")],
    reason: Reason,
    service: Service = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Replay the parked deliveries of a target; exit status 1 if one failed again."""
    platform = load_platform()
    _confirm(
        f"{'Close the breaker' if target == words.BREAKER else f'Replay what is parked for {target}'}?", yes or as_json
    )
    found = asyncio.run(
        client.where_parked(platform, service, lambda stub: client.redrive(stub, target, reason), target)
    )
    rows = [{"service": name, "target": target, **words.redriven(result)} for name, result in found.items()]
    if as_json:
        words.print_json(rows)
    else:
        for row in rows:
            print(words.redrive_in_words(row))
    if any(row["remaining"] for row in rows):
        raise typer.Exit(1)


@app.command(epilog='Example:  trade parked discard inbox.port-qd/0/7/x --reason "sent again by the partner"')
def discard(
    delivery: Annotated[str, typer.Argument(metavar="ID", help="As `parked list` prints it.")],
    reason: Reason,
    service: Service = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Discard one parked delivery for good; those waiting behind it stay parked until a redrive."""
    _confirm(f"Discard {delivery} for good?", yes or as_json)

    async def act(stub: "ParkingServiceAsyncStub") -> pb.DiscardParkedResponse:
        request = pb.DiscardParkedRequest(id=delivery, reason=reason)
        return await stub.DiscardParked(request, timeout=client.DEADLINE_SECONDS)

    name, done = asyncio.run(client.first(load_platform(), service, act, delivery))
    if as_json:
        words.print_json({"service": name, "id": delivery, "discarded": True, "remaining": done.remaining})
        return
    print(f"{name}: discarded {delivery}")
    if done.remaining:
        print(f"  {done.remaining} still wait for the same target; redrive it to process them")


@app.command(epilog="Examples:  trade parked audit  |  trade parked audit --target D-77 --json")
def audit(service: Service = "", target: Only = "", limit: Limit = 50, as_json: Json = False) -> None:
    """List redrives and discards, by whom and why, latest first."""
    found = asyncio.run(client.everywhere(load_platform(), service, lambda stub: client.audit(stub, target, limit)))
    rows = [{"service": name, **words.audit_line(each)} for name, lines in found.items() for each in lines]
    rows.sort(key=lambda row: row["at"], reverse=True)
    if as_json:
        words.print_json(rows)
    elif not rows:
        print(words.nothing("nothing was redriven or discarded", found, found.away))
    else:
        columns = ("at", "service", "action", "target", "by", "why", "outcome")
        words.print_rows(columns, [[row[column] for column in columns] for row in rows])


def _confirm(question: str, skip: bool) -> None:
    """Ask for confirmation at a terminal; without a terminal, go ahead."""
    if not skip and sys.stdin.isatty():
        typer.confirm(question, abort=True)
