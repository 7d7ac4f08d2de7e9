"""`trade trace UCR`: one shipment's timeline with the cause of every step."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from trade_cli.platform import CliError, load_platform
from trade_cli.tracking_client import TrackingClient, View, tracking

FOLLOW_SECONDS = 0.5
PATIENT_LOOKS = 6
_ON_THE_WAY = ("created", "addressed", "attempt_started")
_COLOURS = {
    "gateway": "cyan",
    "partners": "yellow",
    "declarations": "green",
    "notifications": "magenta",
    "matching": "blue",
    "registry": "white",
}

app = typer.Typer()


@app.command(
    epilog="Examples:  trade trace 6CN91370200MA3DEMX012-DEMO  |  trade trace CSQU3054383 --lang ru  |  "
    "trade trace 421820261000000017 --json"
)
def trace(
    query: Annotated[str, typer.Argument(metavar="UCR", help="UCR, or any exact id that belongs to one shipment.")],
    language: Annotated[str, typer.Option("--lang", help="zh, ru or en.")] = "en",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted or closed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable; one object a step with -f.")] = False,
) -> None:
    """Show everything that happened to a shipment: when, who, what, because of what."""
    asyncio.run(_trace(query, language, follow, as_json))


async def _trace(query: str, language: str, follow: bool, as_json: bool) -> None:
    async with tracking(load_platform(), language) as client:
        ucr = await _resolve(client, query)
        if follow:
            await _follow(client, ucr, as_json)
            return
        view = await client.shipment(ucr)
        if as_json:
            print(json.dumps(view, ensure_ascii=False))
        else:
            show(Console(), view)


async def _resolve(client: TrackingClient, query: str) -> str:
    """The one shipment that an id belongs to; what a door took a moment ago may still be on its way to the desk."""
    found: list[str] = []
    for _ in range(PATIENT_LOOKS):
        if found := await client.search(query):
            break
        await asyncio.sleep(FOLLOW_SECONDS)
    if query in found:
        return query
    if len(found) > 1:
        raise CliError(f"{query} belongs to several: {', '.join(found[:10])}")
    if not found:
        coverage = (await client.shipment(query))["coverage"]
        unread = [each["topic"] for each in coverage if each["conclusion"] == "no_data"]
        why = f"; not all is read yet: {', '.join(unread)}" if unread else "; every topic is read to its end"
        raise CliError(f"no event names {query}{why}")
    return found[0]


async def _follow(client: TrackingClient, ucr: str, as_json: bool) -> None:
    console, seen = Console(), set[str]()
    while True:
        view = await client.shipment(ucr)
        for step in unseen(view, seen):
            if as_json:
                print(json.dumps(step, ensure_ascii=False), flush=True)
            else:
                console.print(step_line(step), soft_wrap=True)
        if closed(view):
            return
        await asyncio.sleep(FOLLOW_SECONDS)


def unseen(view: View, seen: set[str]) -> list[Mapping[str, Any]]:
    """The steps that are not in `seen`, which then are."""
    new = [step for step in view["steps"] if step["id"] not in seen]
    seen.update(step["id"] for step in new)
    return new


def behind_the_scenes(step: Mapping[str, Any]) -> bool:
    """Whether a step is a notice's own business: prepared, claimed, not sent yet."""
    return step["type"].startswith("trade.notifications.notice.") and step["type"].split(".")[3] in _ON_THE_WAY


def closed(view: View) -> bool:
    """Whether every declaration of the shipment is closed."""
    return bool(view["situations"]) and all(each["where"] == "closed" for each in view["situations"])


def show(console: Console, view: View) -> None:
    """A whole timeline: situation, steps with causes, duty, notices."""
    console.print(Text(f"Shipment {view['ucr']}", style="bold"))
    for each in view["situations"]:
        console.print(situation_line(each))
    depths = _depths(view["steps"])
    for step in view["steps"]:
        console.print(step_line(step, depths[step["id"]]), soft_wrap=True)
        because = f"{'':25}{'  ' * depths[step['id']]}{step['id']}  because of {step['cause'] or '-'}"
        console.print(Text(because, style="dim"), soft_wrap=True)
        for conflict in step["conflicts"]:
            console.print(Text(f"{'':25}CONFLICT: other content at {conflict['position']}", style="bold red"))
    for duty in view["duties"]:
        for line in duty["lines"]:
            console.print(Text(f"item {line['item']} {line['tax']}: {line['formula']}"))
        console.print(
            Text(f"duties in all: {duty['total']}, to be paid under {duty['payment_reference']}", style="bold")
        )
    console.print(Text(f"{len(view['notices'])} notices, {len(view['spans'])} spans", style="dim"))
    for each in view["coverage"]:
        if each["conclusion"] == "no_data":
            console.print(Text(f"{each['topic']}: {each['text']}", style="yellow"))


def situation_line(situation: Mapping[str, Any]) -> Text:
    """Where it is, what it waits for, who must act, by when."""
    by = f", by {situation['by']['utc']}" if situation["by"] else ""
    failed = f"  [{'; '.join(situation['failed'])}]" if situation["failed"] else ""
    name = situation["declaration_number"] or situation["lrn"]
    waits = f"; waiting for: {situation['waiting_for_text']} ({situation['who_text']}{by})"
    if situation["waiting_for"] == "nothing":
        waits = ""
    return Text(f"{name}: {situation['where_text']}{waits}{failed}", style="bold")


def step_line(step: Mapping[str, Any], depth: int = 0) -> Text:
    """One step in one line: event time, who, what."""
    service = step["topic"].partition(".")[0]
    line = Text(f"{step['happened_at']['utc'][11:]}  {service:<14}")
    line.append(f"{'  ' * depth}{step['text']}", style=_COLOURS.get(service, "white"))
    line.append(f"  {step['actor']}", style="dim")
    return line


def _depths(steps: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How far each step is from the first cause that stands in the timeline; bounded for the eye."""
    depths: dict[str, int] = {}
    for step in steps:
        depths[step["id"]] = min(depths.get(step["cause"], -1) + 1, 6)
    return depths
