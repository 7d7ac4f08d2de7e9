"""What a reader gets to see of a timeline: one shape for the JSON answer, the page and the command line."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from contracts.masking import masked_event
from tracking.coverage import Knowledge, TopicCoverage
from tracking.domain.entry import Entry
from tracking.domain.situation import Situation, situations
from tracking.domain.timeline import Step
from tracking.wording import describe, describe_reason, local_time, say, utc_time

View = dict[str, Any]


def shipment_view(
    thread: str,
    steps: Sequence[Step],
    spans: Sequence[View],
    coverage: Sequence[TopicCoverage],
    *,
    language: str,
    zone: ZoneInfo,
) -> View:
    """Everything known of a thread, most urgent first."""
    return {
        "ucr": thread,
        "language": language,
        "known": bool(steps),
        "situations": [_situation(each, language, zone) for each in situations(steps)],
        "steps": [_step(step, language, zone) for step in steps],
        "duties": _duties(steps),
        "notices": _notices(steps),
        "matches": _matches(steps, language),
        "spans": list(spans),
        "coverage": coverage_view(coverage, steps, language),
    }


def coverage_view(coverage: Sequence[TopicCoverage], steps: Sequence[Step], language: str) -> list[View]:
    """Per topic whether finding nothing means that nothing happened."""
    counts: dict[str, int] = {}
    for step in steps:
        counts[step.entry.position.topic] = counts.get(step.entry.position.topic, 0) + 1
    return [_topic(each, counts.get(each.topic, 0), language) for each in coverage]


def _topic(each: TopicCoverage, count: int, language: str) -> View:
    conclusion = "happened" if count else "nothing_happened" if each.knowledge is Knowledge.READ else "no_data"
    behind = "?" if each.behind is None else each.behind
    return {
        "topic": each.topic,
        "events": count,
        "knowledge": each.knowledge,
        "behind": each.behind,
        "checked_at": each.checked_at.isoformat() if each.checked_at else None,
        "conclusion": conclusion,
        "text": say(f"coverage.{conclusion}", language, count=count, behind=behind),
    }


def _moment(moment: datetime | None, zone: ZoneInfo) -> View | None:
    if moment is None:
        return None
    return {"utc": utc_time(moment), "local": local_time(moment, zone), "iso": moment.isoformat()}


def _situation(each: Situation, language: str, zone: ZoneInfo) -> View:
    standing = each.standing
    return {
        "declaration_id": standing.declaration_id,
        "declaration_number": standing.number,
        "lrn": standing.lrn,
        "direction": standing.direction,
        "where": each.where,
        "where_text": say(f"where.{each.where}", language),
        "lane": standing.lane,
        "waiting_for": each.waiting_for,
        "waiting_for_text": say(f"waiting.{each.waiting_for}", language),
        "who": each.who,
        "who_text": say(f"role.{each.who}", language),
        "by": _moment(each.by, zone),
        "since": _moment(each.since, zone),
        "failed": list(each.failed),
    }


def _step(step: Step, language: str, zone: ZoneInfo) -> View:
    entry = step.entry
    return {
        "id": entry.id,
        "type": entry.type,
        "text": describe(entry, language),
        "happened_at": _moment(entry.happened_at, zone),
        "happened_offset": entry.happened_offset,
        "received_at": _moment(entry.received_at, zone),
        "stated_at": _moment(entry.stated_at, zone),
        "actor": entry.actor,
        "cause": entry.cause,
        "trace_id": entry.trace_id,
        "subject": entry.subject,
        "sequence": entry.sequence,
        "topic": entry.position.topic,
        "partition": entry.position.partition,
        "offset": entry.position.offset,
        "classifier": _text(entry.facts, "classifier"),
        "retracts": _text(entry.facts, "retracts"),
        "retracted_by": step.retracted_by,
        "conflicts": [
            {"raw": _raw(each), "position": str(each.position), "actor": each.actor} for each in step.conflicts
        ],
        "raw": _raw(entry),
    }


def _raw(entry: Entry) -> str:
    """The event as it stood on the wire, personal data masked."""
    return json.dumps(masked_event(entry.type, json.loads(entry.raw)), ensure_ascii=False)


def _duties(steps: Iterable[Step]) -> list[View]:
    """The latest assessment of each declaration, line by line with its formula."""
    latest: dict[str, View] = {}
    for step in steps:
        if step.entry.name == "declarations.declaration.assessed":
            facts = step.entry.facts
            lines = facts.get("lines")
            latest[step.entry.subject] = {
                "declaration_number": _text(facts, "declaration_number"),
                "lines": [
                    {name: _shown(line.get(name)) for name in ("item", "tax", "base", "rate", "formula", "amount")}
                    for line in (lines if isinstance(lines, list) else [])
                    if isinstance(line, Mapping)
                ],
                "total": _money(facts.get("total")),
                "pay_by": _text(facts, "pay_by"),
                "payment_reference": _text(facts, "payment_reference"),
                "tariff": _text(facts, "tariff"),
            }
    return list(latest.values())


def _notices(steps: Iterable[Step]) -> list[View]:
    """Every notice, with its latest state and its attempts."""
    found: dict[str, View] = {}
    for step in steps:
        group, _, fact = step.entry.name.rpartition(".")
        if group != "notifications.notice":
            continue
        facts = step.entry.facts
        notice = found.setdefault(
            _text(facts, "notice_id") or step.entry.subject,
            {name: _text(facts, name) for name in ("recipient", "channel", "template", "message_id", "source_event_id")}
            | {"language": "", "state": "", "attempts": []},
        )
        notice["language"] = _text(facts, "language") or notice["language"]
        notice["state"] = fact
        if fact in ("sent", "attempt_failed", "given_up"):
            notice["attempts"].append(
                {
                    "at": utc_time(step.entry.stated_at),
                    "outcome": fact,
                    "attempt": _shown(facts.get("attempt")),
                    "reason": _text(facts, "reason"),
                }
            )
    return [{"notice_id": id_, **notice} for id_, notice in found.items()]


def _matches(steps: Iterable[Step], language: str) -> list[View]:
    """Matches with the reasons of their scores."""
    found: dict[str, View] = {}
    for step in steps:
        facts = step.entry.facts
        if step.entry.name in ("matching.match.found", "matching.match.changed"):
            found[step.entry.subject] = {
                "match_id": _text(facts, "match_id"),
                "score": _shown(facts.get("score")),
                "reasons": _reasons(facts.get("reasons"), language),
                "missed": _reasons(facts.get("missed"), language),
                "withdrawn": "",
            }
        elif step.entry.name == "matching.match.withdrawn" and step.entry.subject in found:
            found[step.entry.subject]["withdrawn"] = _text(facts, "reason")
    return list(found.values())


def _reasons(value: object, language: str) -> list[View]:
    listed = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
    return [_reason(each, language) for each in listed]


def _reason(each: Mapping[str, Any], language: str) -> View:
    parameters = each.get("parameters")
    code = _text(each, "code")
    return {
        "code": code,
        "text": describe_reason(code, language, parameters if isinstance(parameters, Mapping) else {}),
        "points": _shown(each.get("points")),
        "weight": _shown(each.get("weight")),
    }


def _text(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def _shown(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _money(value: object) -> str:
    return (
        f"{_shown(value.get('amount'))} {_shown(value.get('currency'))}".strip() if isinstance(value, Mapping) else ""
    )
