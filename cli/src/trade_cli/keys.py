"""`trade keys`: API keys of partners and firms for the gateway; issued and revoked by staff.

A key is shown once, when it is issued. An owner may have several keys: to rotate, issue a new one, let the owner switch
to it, then revoke the old one.
"""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chassis.rpc import moment_of, stamp_of
from contracts.grants import PartnerRole
from trade.gateway.v1 import gateway_pb2 as pb
from trade.gateway.v1.gateway_pb2_grpc import KeyServiceStub
from trade.gateway.v1.partners_pb2 import PartnerGrants, RegisteredPartner
from trade_cli.granting import Agencies, Carriers, Offices, Places, grants, in_words
from trade_cli.partners import register
from trade_cli.platform import CliError, ask

DEADLINE_SECONDS = 10.0
PAGE = 200
MAX_DAYS = 36_500

app = typer.Typer(
    help="Keys of partners and firms: issue, revoke, list.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    epilog="Examples:  trade keys issue port-qd --key-file port.key  |  "
    "trade keys issue KZ-BIN:190540000014 --key-file kz.key"
    "  |  trade keys revoke 4f1d2a --reason lost",
)

Owner = Annotated[str, typer.Argument(metavar="OWNER", help="A partner's code, or a firm's number as SCHEME:VALUE.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command(
    epilog="Examples:  trade keys issue port-qd --role port --place CNTAO  |  "
    "trade keys issue bank-icbc --label 'payments' --days 365  |  "
    "trade keys issue CN-USCC:91370200MB2F00QD1X --scope declarations.write --json"
)
def issue(
    owner: Owner,
    role: Annotated[
        PartnerRole | None, typer.Option(help="Register a new partner in this role, which is permanent.")
    ] = None,
    places: Places = None,
    offices: Offices = None,
    agencies: Agencies = None,
    carriers: Carriers = None,
    scope: Annotated[list[str] | None, typer.Option(help="May be repeated; default: all scopes of the owner.")] = None,
    label: Annotated[str, typer.Option(help="What the key is for.")] = "",
    days: Annotated[int, typer.Option(min=0, max=MAX_DAYS, help="Days until it expires; 0: never.")] = 0,
    key_file: Annotated[Path | None, typer.Option(help="Write the key to this file instead of showing it.")] = None,
    as_json: Json = False,
) -> None:
    """Issue a key. Other keys of the owner stay valid.

    A partner must be registered: earlier by `trade partners add`, or here by --role and its grants.
    """
    granted = grants(places, offices, agencies, carriers)
    request = pb.IssueKeyRequest(owner=_owner(owner, role or ""), scopes=scope or [], label=label)
    if days:
        request.expires_at.CopyFrom(stamp_of(datetime.now(UTC) + timedelta(days=days)))
    # Open the file first: a key that could not be written would be lost but valid.
    descriptor = None if key_file is None else _open_private(key_file)
    _register(owner, role, granted)
    answer = _call(lambda stub: stub.IssueKey(request, timeout=DEADLINE_SECONDS))
    if descriptor is not None:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(answer.secret + "\n")
    _show_issued(answer, key_file, as_json=as_json)


def _show_issued(answer: pb.IssueKeyResponse, key_file: Path | None, *, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps(_plain(answer.key) | ({} if key_file else {"key": answer.secret}), ensure_ascii=False, indent=2)
        )
        return
    _print([answer.key])
    if key_file is None:
        print(answer.secret)
        Console(stderr=True).print("[dim]The key is shown only once; the platform stores only its hash.[/dim]")
    else:
        print(f"written to {key_file}")


@app.command(epilog="Example:  trade keys revoke 4f1d2a9b03c7 --reason 'laptop lost'")
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `trade keys list` shows it.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept for the audit.")],
    as_json: Json = False,
) -> None:
    """Revoke a key; it stops working at once."""
    request = pb.RevokeKeyRequest(key_id=key_id, reason=reason)
    _show([_call(lambda stub: stub.RevokeKey(request, timeout=DEADLINE_SECONDS)).key], as_json)


@app.command("list", epilog="Examples:  trade keys list  |  trade keys list --owner port-qd --json")
def list_(
    owner: Annotated[str, typer.Option(help="Only of this partner or firm.")] = "",
    as_json: Json = False,
) -> None:
    """List keys, without their secrets, which are not stored."""
    of = _owner(owner, "") if owner else None
    _show(_call(lambda stub: _every(stub, of)), as_json)


async def _every(stub: Any, owner: pb.Owner | None) -> list[pb.Key]:
    found: list[pb.Key] = []
    token = ""
    while True:
        request = pb.ListKeysRequest(page_size=PAGE, page_token=token, owner=owner)
        answer = await stub.ListKeys(request, timeout=DEADLINE_SECONDS)
        found.extend(answer.keys)
        token = answer.next_page_token
        if not token:
            return found


def _owner(written: str, role: str) -> pb.Owner:
    scheme, colon, value = written.partition(":")
    if colon:
        return pb.Owner(firm=pb.Firm(scheme=scheme, value=value))
    return pb.Owner(partner=pb.Partner(code=written, role=role))


def _register(owner: str, role: str | None, granted: PartnerGrants) -> None:
    """Register a partner if a role is given, and report it."""
    if role is None or ":" in owner:
        if granted.ByteSize():
            raise CliError("grants need --role here; for a registered partner use `trade partners grant`")
        return

    partner: RegisteredPartner = ask("gateway", lambda channel: register(channel, owner, role, granted))
    words = in_words(partner.grants) or "nothing yet"
    told = f"{partner.code} is registered as {partner.role}, and may report on {words}"
    Console(stderr=True).print(f"[dim]{escape(told)}[/dim]")


def _open_private(path: Path) -> int:
    """Create a file that only its owner can read."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CliError(f"{path} exists already and is not overwritten") from None


def _call(method: Callable[[Any], Awaitable[Any]]) -> Any:
    return ask("gateway", lambda channel: method(KeyServiceStub(channel)))


def _moment(stamp: Timestamp) -> str:
    return moment_of(stamp).isoformat(timespec="seconds")


def _plain(key: pb.Key) -> dict[str, Any]:
    partner = key.owner.WhichOneof("owner") == "partner"
    owner = key.owner.partner.code if partner else f"{key.owner.firm.scheme}:{key.owner.firm.value}"
    plain: dict[str, Any] = {"id": key.id, "owner": owner}
    if partner:
        plain["role"] = key.owner.partner.role
    plain |= {"scopes": list(key.scopes), "label": key.label, "issued_by": key.issued_by}
    for name in ("issued_at", "expires_at", "revoked_at"):
        if key.HasField(name):
            plain[name] = _moment(getattr(key, name))
    if key.HasField("revoked_at"):
        plain |= {"revoked_by": key.revoked_by, "revoke_reason": key.revoke_reason}
    return plain


def _show(found: list[pb.Key], as_json: bool) -> None:
    if as_json:
        print(json.dumps([_plain(key) for key in found], ensure_ascii=False, indent=2))
    else:
        _print(found)


def _print(found: list[pb.Key]) -> None:
    table = Table(box=None)
    for heading in ("id", "owner", "role", "scopes", "label", "issued", "state"):
        table.add_column(heading, overflow="fold")
    for key in found:
        plain = _plain(key)
        state = "valid"
        if "expires_at" in plain:
            state = f"until {plain['expires_at']}"
        if "revoked_at" in plain:
            state = f"revoked {plain['revoked_at']}: {plain['revoke_reason']}"
        issued = f"{plain['issued_at']}\n{plain['issued_by']}"
        scopes = "\n".join(plain["scopes"])
        cells = (plain["id"], plain["owner"], plain.get("role", ""), scopes, plain["label"])
        table.add_row(*(escape(cell) for cell in (*cells, issued, state)))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
