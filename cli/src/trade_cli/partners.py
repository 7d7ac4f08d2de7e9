"""`trade partners`: registers partners and manages their grants, as staff."""

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chassis.rpc import moment_of
from contracts.grants import PartnerRole
from trade.gateway.v1 import partners_pb2 as pb
from trade.gateway.v1.partners_pb2_grpc import PartnerServiceStub
from trade_cli.granting import Agencies, Carriers, Offices, Places, grants, in_words, written
from trade_cli.platform import CliError, ask

DEADLINE_SECONDS = 10.0
PAGE = 200

app = typer.Typer(
    help="Partners that report events: register them, and set what each may report on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    epilog="Examples:  trade partners add port-qd --role port --place CNTAO  |  "
    "trade partners grant customs-qd --office 4218 --reason 'agreement 12'  |  trade partners show port-qd",
)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The partner's code: letters, digits, points, dashes.")]
Role = Annotated[PartnerRole, typer.Option(help="Its role, which is permanent.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command(
    epilog="Examples:  trade partners add port-qd --role port --place 'CNTAO/Qianwan terminal'  |  "
    "trade partners add sea-kz --role carrier --carrier KZ-BIN:190540000014  |  "
    "trade partners add bank-icbc --role bank --json"
)
def add(
    code: Code,
    role: Role,
    places: Places = None,
    offices: Offices = None,
    agencies: Agencies = None,
    carriers: Carriers = None,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the history.")] = "",
    as_json: Json = False,
) -> None:
    """Register a partner with its grants. If it is registered in this role already, the grants are added."""
    granted = grants(places, offices, agencies, carriers)
    _show([call(lambda stub: _register(stub, code, role, granted, reason))], as_json)


@app.command(
    epilog="Examples:  trade partners grant port-qd --place CNSHA --reason 'new terminal'  |  "
    "trade partners grant quarantine-qd --agency GACC --json"
)
def grant(
    code: Code,
    places: Places = None,
    offices: Offices = None,
    agencies: Agencies = None,
    carriers: Carriers = None,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the history.")] = "",
    as_json: Json = False,
) -> None:
    """Add grants to a partner."""
    request = pb.GrantPartnerRequest(code=code, grants=_some(places, offices, agencies, carriers), reason=reason)
    _show([call(lambda stub: stub.GrantPartner(request, timeout=DEADLINE_SECONDS)).partner], as_json)


@app.command(epilog="Example:  trade partners revoke port-qd --place CNSHA --reason 'contract ended'")
def revoke(
    code: Code,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the history.")],
    places: Places = None,
    offices: Offices = None,
    agencies: Agencies = None,
    carriers: Carriers = None,
    as_json: Json = False,
) -> None:
    """Take grants from a partner. Decisions on its earlier reports are not changed."""
    request = pb.RevokePartnerRequest(code=code, grants=_some(places, offices, agencies, carriers), reason=reason)
    _show([call(lambda stub: stub.RevokePartner(request, timeout=DEADLINE_SECONDS)).partner], as_json)


@app.command(epilog="Examples:  trade partners show port-qd  |  trade partners show port-qd --json")
def show(code: Code, as_json: Json = False) -> None:
    """Show one partner with its history."""
    request = pb.GetPartnerRequest(code=code)
    partner = call(lambda stub: stub.GetPartner(request, timeout=DEADLINE_SECONDS)).partner
    if as_json:
        print(json.dumps(_plain(partner), ensure_ascii=False, indent=2))
        return
    _print([partner])
    _print_history(partner)


@app.command("list", epilog="Examples:  trade partners list  |  trade partners list --json")
def list_(as_json: Json = False) -> None:
    """List partners by code."""
    _show(call(_every), as_json)


async def _every(stub: Any) -> list[pb.RegisteredPartner]:
    found: list[pb.RegisteredPartner] = []
    token = ""
    while True:
        request = pb.ListPartnersRequest(page_size=PAGE, page_token=token)
        answer = await stub.ListPartners(request, timeout=DEADLINE_SECONDS)
        found.extend(answer.partners)
        token = answer.next_page_token
        if not token:
            return found


async def _register(stub: Any, code: str, role: str, granted: pb.PartnerGrants, reason: str = "") -> Any:
    added = await stub.AddPartner(pb.AddPartnerRequest(code=code, role=role), timeout=DEADLINE_SECONDS)
    if not granted.ByteSize():
        return added.partner
    request = pb.GrantPartnerRequest(code=code, grants=granted, reason=reason)
    return (await stub.GrantPartner(request, timeout=DEADLINE_SECONDS)).partner


async def register(channel: Any, code: str, role: str, granted: pb.PartnerGrants) -> pb.RegisteredPartner:
    """Register a partner and add its grants; idempotent.

    Raises:
        grpc.aio.AioRpcError: the gateway refuses or is unavailable.
    """
    partner: pb.RegisteredPartner = await _register(PartnerServiceStub(channel), code, role, granted)
    return partner


def call(method: Callable[[Any], Awaitable[Any]]) -> Any:
    """Call the gateway's PartnerService."""
    return ask("gateway", lambda channel: method(PartnerServiceStub(channel)))


def _some(
    places: list[str] | None, offices: list[str] | None, agencies: list[str] | None, carriers: list[str] | None
) -> pb.PartnerGrants:
    granted = grants(places, offices, agencies, carriers)
    if not granted.ByteSize():
        raise CliError("give at least one --place, --office, --agency or --carrier")
    return granted


def _plain(partner: pb.RegisteredPartner) -> dict[str, Any]:
    changes = [
        {
            "fact": each.fact,
            "at": _moment(each),
            "by": each.by,
            "grants": written(each.grants),
            "reason": each.reason,
        }
        for each in partner.changes
    ]
    return {"code": partner.code, "role": partner.role, "grants": written(partner.grants), "changes": changes}


def _moment(change: Any) -> str:
    return moment_of(change.at).isoformat(timespec="seconds")


def _show(found: list[Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps([_plain(each) for each in found], ensure_ascii=False, indent=2))
    else:
        _print(found)


def _print(found: list[Any]) -> None:
    table = Table("code", "role", "may report on", box=None)
    for each in found:
        table.add_row(escape(each.code), each.role, escape(in_words(each.grants)))
    _console().print(table)


def _print_history(partner: pb.RegisteredPartner) -> None:
    table = Table("when", "what", "by", "why", box=None)
    for each in partner.changes:
        what = f"{each.fact} {in_words(each.grants)}".strip()
        table.add_row(_moment(each), escape(what), escape(each.by), escape(each.reason))
    _console().print(table)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 160)
