"""The words of the support desk: what each event says, in the reader's language.

Placeholders are filled with values of the payload; the texts themselves are ours, so that a hostile
value stays a value.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from contracts.texts import FALLBACK, LANGUAGES, UnknownText, text
from tracking.domain.entry import Entry

NOTHING = "–"


def choose_language(asked: str | None, accepted: str) -> str:
    """The asked one, else the first of an Accept-Language header that is ours, else English."""
    if asked in LANGUAGES:
        return str(asked)
    for part in accepted.split(","):
        primary = part.partition(";")[0].strip().partition("-")[0].lower()
        if primary in LANGUAGES:
            return primary
    return FALLBACK


def say(code: str, language: str, **parameters: object) -> str:
    """A text of the support desk; a code without one is shown as it is."""
    try:
        return text(f"tracking.{code}", language, **parameters)
    except UnknownText:
        return code


def describe(entry: Entry, language: str) -> str:
    """What an event says, in one line."""
    try:
        return text(f"tracking.event.{entry.name}", language, **_parameters(entry.facts))
    except UnknownText:
        return text("tracking.event.other", language, type=entry.type)


def describe_reason(code: str, language: str, parameters: Mapping[str, Any]) -> str:
    """A text of another owner by its code, the code alone where it or a placeholder is missing."""
    try:
        given = {str(name): _scalar(value) for name, value in parameters.items() if name not in ("code", "language")}
        return text(code, language, **given)
    except (UnknownText, KeyError, IndexError):
        return code


def local_time(moment: datetime, zone: ZoneInfo) -> str:
    """In the zone's time; nothing for a moment at the calendar's very end, which has none there."""
    try:
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
    except OverflowError:
        return NOTHING


def utc_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _parameters(facts: Mapping[str, Any]) -> dict[str, str]:
    """Everything a text may mention; what the payload lacks is a dash."""
    errors = facts.get("errors")
    holder = facts.get("declaration")
    declaration: Mapping[str, Any] = holder if isinstance(holder, Mapping) else {}
    return {
        "number": _scalar(facts.get("declaration_number") or facts.get("number")),
        "lrn": _scalar(facts.get("lrn") or declaration.get("lrn")),
        "lane": _scalar(facts.get("lane")),
        "hold": _scalar(facts.get("hold")),
        "result": _scalar(facts.get("result")),
        "status": _scalar(facts.get("status")),
        "reason": _scalar(facts.get("reason")),
        "total": _money(facts.get("total")),
        "amount": _money(facts.get("amount")),
        "paid": _money(facts.get("paid")),
        "due": _money(facts.get("due")),
        "pay_by": _scalar(facts.get("pay_by")),
        "payment_reference": _scalar(facts.get("payment_reference")),
        "place": _place(facts.get("location")),
        "classifier": _scalar(facts.get("classifier")),
        "publisher": _scalar(facts.get("publisher")),
        "kind": _scalar(facts.get("kind")),
        "documents": _list(facts.get("documents")),
        "recipient": _scalar(facts.get("recipient")),
        "channel": _scalar(facts.get("channel")),
        "template": _scalar(facts.get("template")),
        "told_in": _scalar(facts.get("language")),
        "attempt": _scalar(facts.get("attempt")),
        "reference": _scalar(facts.get("reference")),
        "score": _scalar(facts.get("score")),
        "count": str(len(errors)) if isinstance(errors, list) else NOTHING,
    }


def _scalar(value: object) -> str:
    return str(value)[:200] if isinstance(value, str | int | float) and value != "" else NOTHING


def _money(value: object) -> str:
    if not isinstance(value, Mapping):
        return NOTHING
    return f"{_scalar(value.get('amount'))} {_scalar(value.get('currency'))}"


def _place(value: object) -> str:
    if not isinstance(value, Mapping):
        return NOTHING
    named = [_scalar(value.get(name)) for name in ("unlocode", "facility") if value.get(name)]
    return " ".join(named) or NOTHING


def _list(value: object) -> str:
    return ", ".join(_scalar(each) for each in value[:20]) if isinstance(value, list) and value else NOTHING
