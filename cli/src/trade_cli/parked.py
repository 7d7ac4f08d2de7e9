"""`trade parked`: what could not be processed, and how to mend it.

Every service keeps its own parked deliveries; without `--service` all of them are asked. Reading
changes nothing; `redrive` and `discard` ask for a reason, which stays in the audit with the name
of who gave it (TRADE_STAFF, else the login).
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import grpc
import typer
from rich.console import Console
from rich.table import Table

from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceStub
from trade_cli.platform import CliError, Platform, load_platform

if TYPE_CHECKING:  # the generated type has no body
    from trade.parking.v1.parking_pb2_grpc import ParkingServiceAsyncStub

T = TypeVar("T")

PAGE = 200
DEADLINE_SECONDS = 30.0

app = typer.Typer(
    help="What could not be processed: see it, replay it in order, or give it up.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog='Examples:  trade parked list  |  trade parked show ID  |  trade parked redrive TARGET --reason "mended"',
)

Service = Annotated[str, typer.Option("--service", "-s", help="Only this service; default: all of them.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the audit.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before acting.")]


@app.command("list", epilog="Examples:  trade parked list --service declarations  |  trade parked list --json")
def list_parked(
    service: Service = "",
    target: Annotated[str, typer.Option("--target", "-t", help="Only this target.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many per service.")] = 200,
    as_json: Json = False,
) -> None:
    """List parked deliveries, oldest first."""
    found = asyncio.run(_everywhere(load_platform(), service, lambda stub: _all(stub, target, limit)))
    rows = [{"service": name, **_plain(each)} for name, parked in found.items() for each in parked]
    if as_json:
        _print_json(rows)
        return
    if not rows:
        print("nothing is parked")
        return
    table = Table("service", "id", "event", "reason", "error", "parked at")
    for row in rows:
        named = (row["service"], row["id"], row["event_type"] or "-", row["reason"], row["error"], row["parked_at"])
        table.add_row(*(_escaped(each) for each in named))
    _print(table)


@app.command(epilog="Example:  trade parked show declarations.events.v1/0/42/D-77")
def show(
    delivery: Annotated[str, typer.Argument(metavar="ID", help="As `parked list` prints it.")],
    service: Service = "",
    as_json: Json = False,
) -> None:
    """Show one parked delivery with its headers, its content and its stack."""

    async def ask(stub: "ParkingServiceAsyncStub") -> pb.ShowParkedResponse:
        return await stub.ShowParked(pb.ShowParkedRequest(id=delivery), timeout=DEADLINE_SECONDS)

    name, found = asyncio.run(_first(load_platform(), service, ask, delivery))
    row = {
        "service": name,
        **_plain(found.parked),
        "headers": {key: value.decode(errors="replace") for key, value in sorted(found.headers.items())},
        "value": found.value.decode(errors="replace"),
        "stack": found.stack,
    }
    if as_json:
        _print_json(row)
        return
    table = Table(show_header=False)
    for label, value in row.items():
        table.add_row(
            label, _escaped("\n".join(f"{k}: {v}" for k, v in value.items()) if label == "headers" else value)
        )
    _print(table)


@app.command(epilog='Example:  trade parked redrive D-77 --service declarations --reason "rule corrected in 1.4.2"')
def redrive(
    target: Annotated[str, typer.Argument(help="Whose deliveries to replay, in order; ~breaker closes the breaker.")],
    reason: Reason,
    service: Service = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Replay what is parked for a target; exit status 1 where one failed again."""
    platform = load_platform()
    waiting = asyncio.run(_everywhere(platform, service, lambda stub: _all(stub, target, 1000)))
    count = sum(len(parked) for parked in waiting.values())
    _confirm(f"Replay {count} deliveries of {target}?", skip=yes or as_json)

    async def act(stub: "ParkingServiceAsyncStub") -> pb.RedriveTargetResponse:
        request = pb.RedriveTargetRequest(target=target, reason=reason)
        return await stub.RedriveTarget(request, timeout=DEADLINE_SECONDS)

    rows = []
    for name, result in asyncio.run(_where_parked(platform, service, act, target)).items():
        done = {"applied": result.applied, "duplicates": result.duplicates, "remaining": result.remaining}
        rows.append({"service": name, "target": target, **done})
    if as_json:
        _print_json(rows)
    else:
        for row in rows:
            print("{service}: {applied} applied, {duplicates} duplicates, {remaining} still parked".format(**row))
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
    """Give one parked delivery up for good."""
    _confirm(f"Discard {delivery} for good?", skip=yes or as_json)

    async def act(stub: "ParkingServiceAsyncStub") -> pb.DiscardParkedResponse:
        return await stub.DiscardParked(pb.DiscardParkedRequest(id=delivery, reason=reason), timeout=DEADLINE_SECONDS)

    name, _ = asyncio.run(_first(load_platform(), service, act, delivery))
    if as_json:
        _print_json({"service": name, "id": delivery, "discarded": True})
    else:
        print(f"{name}: discarded {delivery}")


async def _all(stub: "ParkingServiceAsyncStub", target: str, limit: int) -> list[pb.Parked]:
    """Pages until `limit` or the end."""
    found: list[pb.Parked] = []
    token = ""
    while True:
        size = min(PAGE, limit - len(found))
        request = pb.ListParkedRequest(target=target, page_size=size, page_token=token)
        page = await stub.ListParked(request, timeout=DEADLINE_SECONDS)
        found += page.parked
        token = page.next_page_token
        if not token or len(found) >= limit:
            return found


Ask: TypeAlias = Callable[["ParkingServiceAsyncStub"], Awaitable[T]]


async def _everywhere(platform: Platform, service: str, ask: Ask[T]) -> dict[str, T]:
    """Ask every service, or the one named; one that is away is named on the error output.

    Raises:
        CliError: none of them answered, or there is no such service.
    """
    names = _services(platform, service)
    answers = await asyncio.gather(*(_asked(platform, name, ask) for name in names), return_exceptions=True)
    found: dict[str, T] = {}
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, grpc.aio.AioRpcError):
            print(f"trade: {name} does not answer: {answer.code().name} {answer.details() or ''}", file=sys.stderr)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[name] = answer
    if not found:
        raise CliError("no service answers; is the platform up?")
    return found


async def _where_parked(platform: Platform, service: str, ask: Ask[T], what: str) -> dict[str, T]:
    """Ask all; those that have nothing of it are left out.

    Raises:
        CliError: nobody has it.
    """

    async def maybe(stub: "ParkingServiceAsyncStub") -> T | None:
        try:
            return await ask(stub)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise

    answers = await _everywhere(platform, service, maybe)
    found = {name: answer for name, answer in answers.items() if answer is not None}
    if not found:
        raise CliError(f"nothing is parked as {what!r}")
    return found


async def _first(platform: Platform, service: str, ask: Ask[T], what: str) -> tuple[str, T]:
    return next(iter((await _where_parked(platform, service, ask, what)).items()))


async def _asked(platform: Platform, name: str, ask: Ask[T]) -> T:
    async with platform.channel(name) as channel:
        return await ask(ParkingServiceStub(channel))


def _services(platform: Platform, service: str) -> Sequence[str]:
    named = [name for name, address in platform.services.items() if address.grpc]
    if service and service not in named:
        raise CliError(f"there is no service {service!r} with gRPC; there are {', '.join(sorted(named))}")
    return [service] if service else sorted(named)


def _plain(parked: pb.Parked) -> dict[str, Any]:
    """A parked delivery as JSON values."""
    fields = ("id", "target", "topic", "partition", "offset", "event_id", "event_type", "reason", "error", "trace_id")
    row: dict[str, Any] = {name: getattr(parked, name) for name in (*fields, "build")}
    return row | {"parked_at": parked.parked_at.ToJsonString() if parked.HasField("parked_at") else ""}


def _confirm(question: str, *, skip: bool) -> None:
    """Ask a person; a program that gives no terminal is taken at its word."""
    if not skip and sys.stdin.isatty():
        typer.confirm(question, abort=True)


def _print(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else 240).print(table)


def _escaped(value: object) -> str:
    return str(value).replace("[", r"\[")


def _print_json(value: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
