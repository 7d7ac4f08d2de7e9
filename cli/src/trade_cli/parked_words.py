"""The output of `trade parked`: rows for programs, tables and sentences for people."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table

from trade.parking.v1 import parking_pb2 as pb

BREAKER = "~breaker"
"""The target by which the breaker is closed."""

EXPECTED = {
    "same_build": "this same build refused it: will fail again unless the cause was outside the code",
    "other_build": "another build refused it: this one will try",
    "follows": "did not fail itself: waits for the one before it",
    "still_unreadable": "this build cannot read it either: will fail again; discard it, or deploy a build that can",
    "not_consumed": "its topic is no longer consumed: will fail again; only discarding helps",
    "not_addressed": "its type is no longer subscribed to: will be dropped",
    "by_itself": "a timer or pending step: retried automatically once unlocked",
    "targets_asked": "its targets are looked up again; each gets it after what is parked there",
}
"""The expected outcome of a redrive for a delivery."""


def delivery(parked: pb.Parked) -> dict[str, Any]:
    """A parked delivery as JSON values."""
    fields = ("id", "target", "topic", "partition", "offset", "event_id", "event_type", "reason", "error", "trace_id")
    row: dict[str, Any] = {name: getattr(parked, name) for name in (*fields, "build", "stack_line")}
    return row | {
        "parked_at": moment(parked.parked_at) if parked.HasField("parked_at") else "",
        "tried_at": moment(parked.tried_at) if parked.HasField("tried_at") else "",
    }


def target(parked: pb.ParkedTarget) -> dict[str, Any]:
    """A parked target as JSON values."""
    since = moment(parked.since)
    return {"target": parked.target, "waiting": parked.waiting, "since": since, "first": delivery(parked.first)}


def breaker(open_: pb.Breaker) -> dict[str, Any]:
    return {"reason": open_.reason, "opened_at": moment(open_.opened_at)}


def plan(planned: pb.PlanRedriveResponse) -> dict[str, Any]:
    """A redrive plan as JSON values."""
    steps = [{**delivery(step.parked), "expected": step.expected} for step in planned.steps]
    open_ = breaker(planned.breaker) if planned.HasField("breaker") else None
    return {**target(planned.parked), "build": planned.build, "breaker": open_, "steps": steps}


def audit_line(line: pb.AuditLine) -> dict[str, Any]:
    row = {name: getattr(line, name) for name in ("action", "target", "by", "why", "outcome")}
    taken_out = delivery(line.parked) if line.HasField("parked") else None
    return {"at": moment(line.at), **row, "delivery": taken_out}


def moment(stamp: Timestamp) -> str:
    return stamp.ToJsonString()


def explain(service: str, planned: Mapping[str, Any]) -> Iterable[str]:
    """A plan in sentences, line by line."""
    first, waiting = planned["first"], planned["waiting"]
    yield f"{service}: {planned['target']}"
    yield f"  since    {planned['since']}, {waiting} waiting" + (": the first and those behind it" * (waiting > 1))
    yield f"  why      {first['reason']}" + (f": {first['error']}" if first["error"] else "")
    if first["stack_line"]:
        yield f"  where    {first['stack_line']}"
    if first["tried_at"]:
        yield f"  tried    {first['tried_at']}, failed again"
    yield f"  build    refused by {first['build'] or '-'}; running now: {planned['build'] or '-'}"
    if planned["breaker"]:
        open_ = planned["breaker"]
        yield f"  breaker  open since {open_['opened_at']} ({open_['reason']}): nothing new is consumed"
    yield "  a redrive would process, in this order, up to the first that fails:"
    for number, step in enumerate(planned["steps"], start=1):
        yield f"  {number:>4}. {step['id']}  {step['event_type'] or '-'}"
        yield f"        {EXPECTED.get(step['expected'], step['expected'])}"
    if waiting > len(planned["steps"]):
        yield f"        … and {waiting - len(planned['steps'])} more"
    yield f"  full content and stack: trade parked show '{first['id']}'"


def nothing(said: str, asked: Iterable[str], away: Sequence[str]) -> str:
    """The message that nothing was found, and where; services that could not be asked may have something."""
    return f"{said} at {', '.join(asked)}; {', '.join(away)} could not be asked" if away else said


def print_table(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else 240).print(table)


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(*columns)
    for row in rows:
        table.add_row(*(escaped(each) for each in row))
    print_table(table)


def escaped(value: object) -> str:
    return str(value).replace("[", r"\[")


def print_json(value: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def redriven(result: pb.RedriveTargetResponse) -> dict[str, Any]:
    """The result of a redrive as JSON values."""
    failed = delivery(result.failed) if result.HasField("failed") else None
    counts = {name: getattr(result, name) for name in ("applied", "duplicates", "released", "remaining")}
    return {**counts, "failed": failed}


def redrive_in_words(row: dict[str, Any]) -> str:
    """The result of a redrive as a sentence."""
    if row["target"] == BREAKER:
        return f"{row['service']}: the breaker is closed"
    said = "{service}: {applied} applied, {duplicates} duplicates, {remaining} still parked".format(**row)
    if row["released"]:
        said += f", {row['released']} will be retried automatically"
    if row["failed"]:
        said += f"\n  failed again: {row['failed']['id']}: {row['failed']['reason']}: {row['failed']['error']}"
    return said
