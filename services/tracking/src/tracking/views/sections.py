"""The sections below the timeline: duties with formulas, notices with attempts, matches with reasons."""

from collections.abc import Iterable, Mapping
from typing import Any

from tracking.domain.facts import money_of, part_of, text_of
from tracking.domain.timeline import Step
from tracking.views.reader import Reader, View, listed, shown
from tracking.wording import describe_code, utc_time, word

_ENDED = ("sent", "attempt_failed", "given_up")


def duties_view(steps: Iterable[Step], reader: Reader) -> list[View]:
    """The latest assessment of each declaration, line by line with its formula."""
    latest: dict[str, View] = {}
    for step in steps:
        if step.entry.name == "declarations.declaration.assessed":
            facts = step.entry.facts
            latest[step.entry.subject] = {
                "declaration_number": text_of(facts, "declaration_number"),
                "payment_reference": text_of(facts, "payment_reference"),
                "lines": [_line(line, reader) for line in listed(facts.get("lines"))],
                "total": money_of(facts, "total"),
                "pay_by": text_of(facts, "pay_by"),
                "tariff": text_of(facts, "tariff"),
            }
    return list(latest.values())


def _line(line: Mapping[str, Any], reader: Reader) -> View:
    plain = {name: shown(line.get(name)) for name in ("item", "tax", "base", "rate", "formula", "amount")}
    return plain | {"tax_text": word("tax", plain["tax"], reader.language)}


def notices_view(steps: Iterable[Step], reader: Reader) -> list[View]:
    """Every notice, with its latest state and its attempts."""
    found: dict[str, View] = {}
    for step in steps:
        group, _, fact = step.entry.name.rpartition(".")
        if group != "notifications.notice":
            continue
        facts = step.entry.facts
        id_ = text_of(facts, "notice_id") or step.entry.subject
        notice = found.setdefault(id_, {"notice_id": id_, **_notice(facts, reader)})
        notice["language"] = text_of(facts, "language") or notice["language"]
        notice["state"] = fact
        notice["state_text"] = word("notice_state", fact, reader.language)
        if fact in _ENDED:
            notice["attempts"].append(
                {
                    "at": utc_time(step.entry.stated_at),
                    "outcome": fact,
                    "outcome_text": notice["state_text"],
                    "attempt": shown(facts.get("attempt")),
                    "reason": text_of(facts, "reason"),
                    "reason_text": _failure(facts, reader),
                }
            )
    return list(found.values())


def _notice(facts: Mapping[str, Any], reader: Reader) -> View:
    named = {
        name: text_of(facts, name) for name in ("recipient", "channel", "template", "message_id", "source_event_id")
    }
    return named | {
        "channel_text": word("code.channel", named["channel"], reader.language),
        "template_text": word("template", named["template"], reader.language),
        "language": "",
        "state": "",
        "state_text": "",
        "attempts": [],
    }


def _failure(facts: Mapping[str, Any], reader: Reader) -> str:
    reason = text_of(facts, "reason")
    return word("code.failure_reason", reason, reader.language) if reason else ""


def matches_view(steps: Iterable[Step], reader: Reader) -> list[View]:
    """Matches with the reasons of their scores."""
    found: dict[str, View] = {}
    for step in steps:
        facts = step.entry.facts
        if step.entry.name in ("matching.match.found", "matching.match.changed"):
            found[step.entry.subject] = {
                "match_id": text_of(facts, "match_id"),
                "score": shown(facts.get("score")),
                "reasons": [_reason(each, reader) for each in listed(facts.get("reasons"))],
                "missed": [_reason(each, reader) for each in listed(facts.get("missed"))],
                "withdrawn": "",
                "withdrawn_text": "",
            }
        elif step.entry.name == "matching.match.withdrawn" and step.entry.subject in found:
            reason = text_of(facts, "reason")
            withdrawn = describe_code(f"matching.withdrawn.{reason}", reader.language, part_of(facts, "parameters"))
            found[step.entry.subject] |= {"withdrawn": reason, "withdrawn_text": withdrawn}
    return list(found.values())


def _reason(each: Mapping[str, Any], reader: Reader) -> View:
    code = text_of(each, "code")
    return {
        "code": code,
        "text": describe_code(code, reader.language, part_of(each, "parameters")),
        "points": shown(each.get("points")),
        "weight": shown(each.get("weight")),
    }
