"""`trade send`: sends a file to the gateway, as a firm or a partner would, and shows the result.

A declaration is JSON in the shape of the contract, or a WCO document as XML. An event is a
CloudEvent in structured form, or a list of them. A refusal is shown with every faulty field.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer
from rich.console import Console
from rich.markup import escape

from trade_cli.coming_again import PATIENCE_SECONDS, again_seconds
from trade_cli.languages import Language, spoken
from trade_cli.platform import CliError, load_platform

PAUSE_SECONDS = 0.5
WAIT_SECONDS = 60.0
_TAKEN = 202
_UNDECIDED = ("received", "submitted")
_REFUSED = ("rejected", "submission_refused")

app = typer.Typer(
    help="Send a declaration or an event to the gateway.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    epilog="Examples:  trade send declaration import.xml --key-file firm.key --wait  |  "
    "TRADE_KEY=… trade send event gate_in.json --json",
)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file to send.")]
Key = Annotated[str, typer.Option("--key", envvar="TRADE_KEY", help="The key; safer in a file or the environment.")]
KeyFile = Annotated[Path | None, typer.Option("--key-file", help="File that holds the key.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answers as JSON.")]


@app.command(epilog="Example:  trade send declaration TT_IM189a.xml --key-file declarant.key --wait")
def declaration(
    file: File,
    key: Key = "",
    key_file: KeyFile = None,
    own_id: Annotated[
        str, typer.Option("--id", help="Your own id of this submission, which makes repeats harmless.")
    ] = "",
    correction: Annotated[bool, typer.Option("--correction", help="It corrects a rejected declaration.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is accepted, prelodged or rejected.")] = False,
    wait_seconds: Annotated[float, typer.Option(help="How long to wait.")] = WAIT_SECONDS,
    lang: Language = None,
    as_json: Json = False,
) -> None:
    """Lodge a declaration (JSON or WCO XML)."""
    content = file.read_bytes()
    headers = {"content-type": "application/xml" if _is_xml(content) else "application/json"}
    if own_id:
        if not _is_plain(own_id):
            raise CliError("--id takes ASCII letters, digits and signs, in one line")
        headers["idempotency-key"] = own_id
    parameters = {"function": "correction"} if correction else {}
    with _client(_key(key, key_file), lang) as http:
        receipt = _post(http, "/v1/declarations", content, headers, parameters, as_json)
        outcome = _outcome(http, receipt["status_url"], wait_seconds) if wait else receipt
    _print_receipt(outcome if wait else receipt, as_json)
    if outcome["status"] in _REFUSED:
        raise typer.Exit(1)


@app.command(epilog="Example:  trade send event gate_in.json --key-file port.key")
def event(
    file: File,
    key: Key = "",
    key_file: KeyFile = None,
    lang: Language = None,
    as_json: Json = False,
) -> None:
    """Submit a CloudEvent in structured form, or a list of them."""
    content = file.read_bytes()
    batch = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    headers = {"content-type": f"application/cloudevents{'-batch' if batch else ''}+json"}
    with _client(_key(key, key_file), lang) as http:
        answer = _post(http, "/v1/events", content, headers, {}, as_json)
    if not batch:
        _print_receipt(answer, as_json)
        return
    _print_results(answer["results"], as_json)
    if any("problem" in each for each in answer["results"]):
        raise typer.Exit(1)


def _is_xml(content: bytes) -> bool:
    """Whether a file is XML: in every encoding it begins with `<` after its byte-order mark."""
    return content.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")


def _key(key: str, key_file: Path | None) -> str:
    if key_file is not None:
        key = key_file.read_text(encoding="utf-8", errors="replace")
    key = key.strip()
    if not key:
        raise CliError("no key; give --key-file or set TRADE_KEY (staff issue keys with `trade keys issue`)")
    if not _is_plain(key):
        raise CliError(f"{key_file or 'the given text'} contains no key: a key is one line of letters and digits")
    return key


def _is_plain(text: str) -> bool:
    """Whether a text is allowed in a header."""
    return text.isascii() and text.isprintable()


def _client(key: str, lang: str | None) -> httpx2.Client:
    headers = {"authorization": f"Bearer {key}", "accept-language": spoken(lang)}
    return httpx2.Client(base_url=load_platform().gateway_url, headers=headers, timeout=30.0, trust_env=False)


def _post(
    http: httpx2.Client,
    path: str,
    content: bytes,
    headers: Mapping[str, str],
    parameters: Mapping[str, str],
    as_json: bool,
) -> dict[str, Any]:
    """Post a submission and return the gateway's answer; a refusal is shown and ends the program.

    Retries are harmless: the same content gets the same receipt.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        response = http.post(path, content=content, headers=dict(headers), params=dict(parameters))
        pause = again_seconds(response, PAUSE_SECONDS)
        if pause is None or time.monotonic() > until:
            break
        time.sleep(pause)
    answer = _read(response)
    if response.status_code != _TAKEN:
        _print_problem(answer, as_json)
        raise typer.Exit(1)
    return answer


def _read(response: httpx2.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        raise CliError(f"the gateway answers {response.status_code} without JSON") from None
    if not isinstance(answer, dict):
        raise CliError(f"the gateway answers {response.status_code} with JSON that is not an object")
    return answer


def _outcome(http: httpx2.Client, url: str, seconds: float) -> dict[str, Any]:
    """Wait for the receipt to be decided.

    Raises:
        CliError: it was not decided in time.
    """
    deadline = time.monotonic() + seconds
    status = "received"
    while time.monotonic() < deadline:
        response = http.get(url)
        if response.status_code == httpx2.codes.OK:
            receipt = _read(response)
            status = receipt["status"]
            if status not in _UNDECIDED:
                return receipt
        time.sleep(again_seconds(response, PAUSE_SECONDS) or PAUSE_SECONDS)
    raise CliError(f"still {status} after {seconds:g} s; check {url} later")


def _print_receipt(receipt: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(receipt, ensure_ascii=False, indent=2))
        return
    console = Console(soft_wrap=True)
    again = " (sent before)" if receipt.get("duplicate") else ""
    console.print(f"[bold]{escape(receipt['status'])}[/bold]  {escape(receipt['id'])}{again}", highlight=False)
    decided = receipt.get("declaration", {})
    for name in ("ucr", "declaration_id", "trace_id"):
        if name in receipt:
            console.print(f"  {name}: {escape(str(receipt[name]))}", highlight=False)
    for name in ("declaration_number", "payment_reference"):
        if name in decided:
            console.print(f"  {name}: {escape(decided[name])}", highlight=False)
    _print_faults(console, decided.get("errors", ()))
    if decided.get("warnings"):
        console.print("  warnings:", highlight=False)
        _print_faults(console, decided["warnings"])
    if receipt.get("not_read"):
        console.print(f"  stored but not read: {len(receipt['not_read'])} elements", highlight=False)
        for path in receipt["not_read"]:
            console.print(f"    [dim]{escape(path)}[/dim]", highlight=False)


def _print_results(results: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(results, ensure_ascii=False, indent=2))
        return
    for each in results:
        if "problem" in each:
            print(f"{each['index']}  refused")
            _print_problem(each["problem"], as_json=False)
        else:
            print(f"{each['index']}  {each['status']}  {each['id']}{' (sent before)' if each.get('duplicate') else ''}")


def _print_problem(problem: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(problem, ensure_ascii=False, indent=2))
        return
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"[red]refused:[/red] {escape(str(problem.get('detail') or problem.get('title')))}", highlight=False)
    _print_faults(console, problem.get("errors", ()))
    if "trace_id" in problem:
        console.print(f"  trace_id: {escape(problem['trace_id'])}", highlight=False)


def _print_faults(console: Console, faults: Any) -> None:
    for fault in faults:
        value = f" ({fault['value']})" if fault.get("value") else ""
        where = fault.get("pointer") or "-"
        console.print(
            f"  [bold]{escape(where)}[/bold]: {escape(fault.get('text', fault['code']) + value)}", highlight=False
        )
