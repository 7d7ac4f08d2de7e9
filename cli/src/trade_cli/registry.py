"""`trade registry`: registers, shows, suspends and reinstates enterprises.

Every change has a command id, so that it can be repeated if its answer is lost. The id is generated unless given, and
printed if the outcome is unknown. Errors name the field, the value and the rule, in the terminal's language (zh, ru or
en).
"""

import asyncio
import json
import sys
import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import grpc
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chassis.rpc import reason_of, violations_of
from contracts.texts import UnknownText, text
from trade.registry.v1 import registry_pb2 as pb
from trade.registry.v1.registry_pb2_grpc import RegistryServiceStub
from trade_cli.languages import Language, LanguageCode, spoken
from trade_cli.platform import CliError, load_platform

if TYPE_CHECKING:  # the generated type has no body
    from trade.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub

    Method: TypeAlias = Callable[[RegistryServiceAsyncStub], Callable[..., Awaitable[Any]]]

ROLES = ("declarant", "importer", "exporter", "agent", "carrier")
ATTEMPTS = 3
PAUSE_SECONDS = 1.0
DEADLINE_SECONDS = 10.0

_PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)

app = typer.Typer(
    help="Enterprises that may trade: register, show, suspend and reinstate them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    epilog="Examples:  trade registry add KZ-BIN:190540000014 --role importer  |  "
    "trade registry show KZ-BIN:190540000014  |  trade registry suspend KZ-BIN:190540000014 --reason sanctions",
)

Number = Annotated[str, typer.Argument(metavar="SCHEME:VALUE", help="A number, such as KZ-BIN:190540000014.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, as a code: sanctions, tax_debt, cleared …")]
CommandId = Annotated[str, typer.Option("--command-id", help="Repeat an earlier command; default: a new id.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command(
    epilog="Examples:  trade registry add CN-USCC:91110000600037341L --role exporter --role declarant "
    '--name "青岛贸易" --email ops@example.cn --contact-language zh  |  '
    "trade registry add KZ-BIN:190540000014 --number LEI:213800KUD8LAJWSQ9D15 --role importer --json"
)
def add(
    number: Annotated[str, typer.Argument(metavar="SCHEME:VALUE", help="Primary number; becomes the enterprise's id.")],
    role: Annotated[list[str] | None, typer.Option(help=f"May be repeated: {', '.join(ROLES)}.")] = None,
    also: Annotated[list[str] | None, typer.Option("--number", "-n", help="Further number; may be repeated.")] = None,
    country: Annotated[str, typer.Option(help="ISO 3166 code; default: the country of the number's scheme.")] = "",
    name: Annotated[str, typer.Option(help="Name; stored separately, erasable.")] = "",
    email: Annotated[str, typer.Option(help="Address for notices; stored separately, erasable.")] = "",
    contact_language: Annotated[LanguageCode | None, typer.Option(help="Language of its notices.")] = None,
    command_id: CommandId = "",
    lang: Language = None,
    as_json: Json = False,
) -> None:
    """Register an enterprise with its numbers and roles."""
    identifiers = [_identifier(each) for each in (number, *(also or ()))]
    request = pb.RegisterEnterpriseRequest(
        command_id=command_id or _new_id(),
        country=(country or _country_of(identifiers[0])).upper(),
        identifiers=identifiers,
        roles=[_role(each) for each in role or ()],
        name=name,
        contact=pb.Contact(email=email, language=contact_language or ""),
    )
    _change(lambda stub: stub.RegisterEnterprise, request, lang, as_json)


@app.command(epilog="Example:  trade registry show LEI:213800KUD8LAJWSQ9D15 --json")
def show(number: Number, lang: Language = None, as_json: Json = False) -> None:
    """Show an enterprise by any of its numbers."""
    request = pb.GetEnterpriseRequest(identifier=_identifier(number))
    _print_enterprise(_call(lambda stub: stub.GetEnterprise, request, lang, as_json), lang, as_json)


@app.command(epilog="Example:  trade registry suspend KZ-BIN:190540000014 --reason sanctions")
def suspend(
    number: Number, reason: Reason, command_id: CommandId = "", lang: Language = None, as_json: Json = False
) -> None:
    """Suspend an enterprise: it may not act until it is reinstated."""
    request = pb.SuspendEnterpriseRequest(command_id=command_id or _new_id(), enterprise_id=number, reason=reason)
    _change(lambda stub: stub.SuspendEnterprise, request, lang, as_json)


@app.command(epilog="Example:  trade registry reinstate KZ-BIN:190540000014 --reason cleared")
def reinstate(
    number: Number, reason: Reason, command_id: CommandId = "", lang: Language = None, as_json: Json = False
) -> None:
    """Let a suspended enterprise act again."""
    request = pb.ReinstateEnterpriseRequest(command_id=command_id or _new_id(), enterprise_id=number, reason=reason)
    _change(lambda stub: stub.ReinstateEnterprise, request, lang, as_json)


def _new_id() -> str:
    return str(uuid.uuid4())


def _identifier(written: str) -> pb.Identifier:
    scheme, colon, value = written.partition(":")
    if not colon or not scheme or not value:
        raise CliError(f"{written!r} is not a number; write SCHEME:VALUE, such as KZ-BIN:190540000014")
    return pb.Identifier(scheme=scheme, value=value)


def _country_of(identifier: pb.Identifier) -> str:
    country, dash, _ = identifier.scheme.partition("-")
    if not dash:
        raise CliError(f"the scheme {identifier.scheme} has no country; add --country")
    return country


def _role(name: str) -> pb.EnterpriseRole.ValueType:
    if name not in ROLES:
        raise CliError(f"{name!r} is not a role; known roles: {', '.join(ROLES)}")
    return pb.EnterpriseRole.Value(f"ENTERPRISE_ROLE_{name.upper()}")


def _change(method: "Method", request: Any, lang: str | None, as_json: bool) -> None:
    try:
        enterprise = _call(method, request, lang, as_json)
    except grpc.aio.AioRpcError as error:
        if error.code() not in _PASSING:
            raise
        raise CliError(
            f"registry does not answer ({error.code().name.lower()}), so the outcome is unknown: "
            f"repeat the command with --command-id {request.command_id}"
        ) from None
    _print_enterprise(enterprise, lang, as_json)


def _call(method: "Method", request: Any, lang: str | None, as_json: bool) -> pb.Enterprise:
    """Call a method and return its enterprise; a refusal is printed and ends the program with status 1."""
    try:
        return asyncio.run(_attempts(method, request, spoken(lang)))
    except grpc.aio.AioRpcError as error:
        if not reason_of(error) or error.code() in _PASSING:
            raise
        _print_refusal(error, as_json)
        raise typer.Exit(1) from None


async def _attempts(method: "Method", request: Any, language: str) -> pb.Enterprise:
    """Call, and retry while the service is unavailable; the command id makes that safe."""
    channel = load_platform().channel("registry")
    try:
        call = method(RegistryServiceStub(channel))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await call(request, timeout=DEADLINE_SECONDS, metadata=(("accept-language", language),))
            except grpc.aio.AioRpcError as error:
                if error.code() not in _PASSING or attempt == ATTEMPTS:
                    raise
            else:
                enterprise: pb.Enterprise = answer.enterprise
                return enterprise
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await channel.close()
    raise AssertionError("unreachable: the last attempt returns or raises")


def _plain(enterprise: pb.Enterprise) -> dict[str, Any]:
    return {
        "id": enterprise.id,
        "status": pb.EnterpriseStatus.Name(enterprise.status).removeprefix("ENTERPRISE_STATUS_").lower(),
        "country": enterprise.country,
        "numbers": [f"{each.scheme}:{each.value}" for each in enterprise.identifiers],
        "roles": [pb.EnterpriseRole.Name(role).removeprefix("ENTERPRISE_ROLE_").lower() for role in enterprise.roles],
        "name": enterprise.name,
        "email": enterprise.contact.email,
        "language": enterprise.contact.language,
        "warnings": list(enterprise.warnings),
    }


def _print_enterprise(enterprise: pb.Enterprise, lang: str | None, as_json: bool) -> None:
    plain = _plain(enterprise)
    if as_json:
        print(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    table = Table(show_header=False, box=None)
    for field, value in plain.items():
        if field != "warnings" and value:
            table.add_row(f"[bold]{field}[/bold]", escape(", ".join(value) if isinstance(value, list) else value))
    for code in plain["warnings"]:
        table.add_row("[yellow]warning[/yellow]", escape(_text(code, lang)))
    Console(soft_wrap=True).print(table)


def _text(code: str, lang: str | None) -> str:
    """The text of a code; the code itself if it is unknown, as from a newer service."""
    try:
        return text(code, spoken(lang))
    except (UnknownText, KeyError):
        return code


def _print_refusal(error: grpc.aio.AioRpcError, as_json: bool) -> None:
    """Print a refusal with every faulty field: `field: text`."""
    broken = [(field, *said.partition(": ")[::2]) for field, said in violations_of(error)]
    if as_json:
        violations = [{"field": field, "rule": rule, "text": words} for field, rule, words in broken]
        refusal = {"reason": reason_of(error), "message": error.details(), "violations": violations}
        print(json.dumps({"error": refusal}, ensure_ascii=False, indent=2), file=sys.stderr)
        return
    console = Console(stderr=True, soft_wrap=True)
    if not broken:
        console.print(f"[red]trade:[/red] {escape(error.details() or reason_of(error))}", highlight=False)
    for field, _, words in broken:
        console.print(f"[red]trade:[/red] [bold]{escape(field)}[/bold]: {escape(words)}", highlight=False)
