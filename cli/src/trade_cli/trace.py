"""`trade trace UCR`: a shipment's timeline with the cause of every step."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from trade_cli.languages import Language, spoken
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
    language: Language = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Continue until it is closed, or Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable; with -f one object per step.")] = False,
) -> None:
    """Show everything that happened to a shipment: when, who, what, and why."""
    asyncio.run(_trace(query, spoken(language), follow, as_json))


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
    """The shipment that an id belongs to; retries briefly, as tracking may lag behind."""
    found: list[str] = []
    for _ in range(PATIENT_LOOKS):
        if found := await client.search(query):
            break
        await asyncio.sleep(FOLLOW_SECONDS)
    if query in found:
        return query
    if len(found) > 1:
        raise CliError(f"{query} belongs to several shipments: {', '.join(found[:10])}")
    if not found:
        coverage = (await client.shipment(query))["coverage"]
        unread = [each["topic"] for each in coverage if each["conclusion"] == "no_data"]
        why = f"; not read to the end yet: {', '.join(unread)}" if unread else "; every topic was read to its end"
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
    """The steps not in `seen` in their present state, which are added to it; a retracted step is returned again."""
    new = [step for step in view["steps"] if _state(step) not in seen]
    seen.update(_state(step) for step in new)
    return new


def _state(step: Mapping[str, Any]) -> str:
    return f"{step['id']} {step['retracted_by']}"


def behind_the_scenes(step: Mapping[str, Any]) -> bool:
    """Whether a step is internal to sending a notice: prepared, claimed, not sent yet."""
    return step["type"].startswith("trade.notifications.notice.") and step["type"].split(".")[3] in _ON_THE_WAY


def closed(view: View) -> bool:
    """Whether every declaration of the shipment is closed."""
    return bool(view["situations"]) and all(each["where"] == "closed" for each in view["situations"])


def show(console: Console, view: View) -> None:
    """Print a timeline: how current it is, parked deliveries, situation, steps with causes, duty, notices."""
    console.print(Text(f"Shipment {view['ucr']}", style="bold"))
    for each in (*view["stale"], *view["held_unknown"]):
        console.print(Text(each["text"], style="yellow"), soft_wrap=True)
    for each in view["held"]:
        console.print(Text(each["text"], style="bold red"), soft_wrap=True)
    for each in view["situations"]:
        for line in situation_lines(each):
            console.print(line, soft_wrap=True)
    depths = _depths(view["steps"])
    for step in view["steps"]:
        console.print(step_line(step, depths[step["id"]]), soft_wrap=True)
        indent = f"{'':{_TIME_WIDTH + 18}}{'  ' * depths[step['id']]}"
        because = f"{indent}{step['id']}  because of {step['cause_row'] or step['cause_text'] or '-'}"
        console.print(Text(because, style="dim"), soft_wrap=True)
        for warning in step["warnings"]:
            console.print(Text(f"{indent}to be checked: {warning}", style="yellow"), soft_wrap=True)
        for conflict in step["conflicts"]:
            console.print(Text(f"{indent}CONFLICT: other content at {conflict['position']}", style="bold red"))
    for duty in view["duties"]:
        for line in duty["lines"]:
            console.print(Text(f"item {line['item']} {line['tax_text']}: {line['formula']}"))
        under = f", to be paid under {duty['payment_reference']}" if duty["payment_reference"] else ""
        console.print(Text(f"duties in all: {duty['total']}{under}", style="bold"))
    console.print(Text(f"{len(view['notices'])} notices, {len(view['spans'])} spans", style="dim"))
    for each in view["coverage"]:
        if each["conclusion"] == "no_data":
            console.print(Text(f"{each['topic']}: {each['text']}", style="yellow"))


def situation_lines(situation: Mapping[str, Any]) -> Iterator[Text]:
    """The situation and every obstacle: what, who must act, since when, by when, what is wrong."""
    name = situation["declaration_number"] or situation["lrn"]
    yield Text(f"{name}: {situation['where_text']}", style="bold")
    for each in situation["obstacles"]:
        if each["waiting_for"] == "nothing":
            continue
        since = f", since {each['since']['utc']}" if each["since"] else ""
        by = f", by {each['by']['utc']}" if each["by"] else ""
        line = Text(f"  waiting for: {each['waiting_for_text']} ({each['who_text']}{since}{by})", style="bold")
        told = [text for text in (each["detail"], *each["failed"]) if text]
        yield line.append(f"  [{'; '.join(told)}]") if told else line


_TIME_WIDTH = len("2026-01-05 08:00:00Z")


def step_line(step: Mapping[str, Any], depth: int = 0) -> Text:
    """One step in one line: time, who, what. Retracted steps, and those that have not happened yet, are marked."""
    service = step["topic"].partition(".")[0]
    when = step["happened_at"] or step["expected_at"]
    line = Text(f"{when['utc']}  {service:<14}")
    taken_back = step["retracted_by"]
    style = "strike dim" if taken_back else _COLOURS.get(service, "white")
    line.append(f"{'  ' * depth}{step['text']}", style=style if step["happened_at"] else f"italic {style}")
    line.append(f"  {step['actor']}", style="dim")
    if taken_back:
        line.append(f"  TAKEN BACK by {taken_back}", style="bold red")
    return line


def _depths(steps: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The distance of each step from its first cause in the timeline, limited for readability."""
    depths: dict[str, int] = {}
    for step in steps:
        depths[step["id"]] = min(depths.get(step["cause"], -1) + 1, 6)
    return depths
