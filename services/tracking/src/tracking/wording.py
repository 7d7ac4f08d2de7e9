"""Describes events in the reader's language, without bare codes.

Payload values only fill placeholders of our own texts, so that a hostile value stays a value. A code
of a contract enumeration is shown as its word; a code that others choose freely (a hold, a document
type) as its word if it has one, else as it is.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from contracts.texts import FALLBACK, LANGUAGES, UnknownText, catalogue, text
from tracking.codes import enumerations
from tracking.domain.entry import Entry
from tracking.domain.facts import moment_of, money_of, part_of, place_of, text_of, texts_of

NOTHING = "–"
ACTUAL = "ACT"


def choose_language(accepted: str) -> str:
    """The first supported language of an Accept-Language header, else English."""
    for part in accepted.split(","):
        primary = part.partition(";")[0].strip().partition("-")[0].lower()
        if primary in LANGUAGES:
            return primary
    return FALLBACK


def language_for(asked: str, accepted: str) -> str:
    """The language asked for if it is supported, else as `choose_language`."""
    return asked if asked in LANGUAGES else choose_language(accepted)


def say(code: str, language: str, **parameters: object) -> str:
    """A text of the support desk; the code itself if it has no text."""
    return describe_code(f"tracking.{code}", language, parameters, otherwise=code)


def describe_code(code: str, language: str, parameters: Mapping[str, Any], *, otherwise: str = "") -> str:
    """The text of any code; `otherwise`, or the code, if the text or a placeholder is missing."""
    try:
        given = {str(name): _scalar(value) for name, value in parameters.items() if name not in ("code", "language")}
        return text(code, language, **given)
    except (UnknownText, KeyError, IndexError):
        return otherwise or code


def word(kind: str, code: str, language: str) -> str:
    """The word for a code; the code itself if it has none; empty for an empty code."""
    return say(f"{kind}.{code}", language) if _has(f"tracking.{kind}.{code}") else _scalar(code)


def name_of_actor(actor: str, language: str) -> str:
    """`partner:port-qd` → partner port-qd."""
    kind, _, name = actor.partition(":")
    return say(f"actor.{kind}", language, name=name) if name and _has(f"tracking.actor.{kind}") else actor


def happened(facts: Mapping[str, Any]) -> bool:
    """Whether a payload states a fact: not a plan, an estimate or an unknown classifier."""
    return bool(facts.get("classifier", ACTUAL) == ACTUAL)


def describe(entry: Entry, language: str) -> str:
    """One line about an event. A plan, an estimate or a retraction never reads as a fact."""
    facts = entry.facts
    values = _parameters(entry, language)
    if text_of(facts, "retracts") and text_of(facts, "publisher"):
        noted = "noted" if entry.name.startswith("declarations.") else "said"
        return say(f"retraction.{noted}", language, **values)
    said = _said(entry, language, values)
    if without_effect := text_of(facts, "without_effect"):
        why = describe_code(f"effect.{without_effect}", language, part_of(facts, "effect_parameters"))
        return say("without_effect", language, text=said, reason=why)
    return said


def _said(entry: Entry, language: str, values: Mapping[str, str]) -> str:
    code = f"tracking.event.{entry.name}"
    if not _has(code):
        return say("event.other", language, type=entry.type)
    if happened(entry.facts):
        return text(code, language, **values)
    certainty = _certainty(text_of(entry.facts, "classifier"), language)
    if _has(f"{code}.expected"):
        return text(f"{code}.expected", language, certainty=certainty, **values)
    return say("not_yet", language, certainty=certainty, text=text(code, language, **values))


def _certainty(classifier: str, language: str) -> str:
    known = classifier if _has(f"tracking.certainty.{classifier}") else "unknown"
    return say(f"certainty.{known}", language)


def local_time(moment: datetime, zone: ZoneInfo) -> str:
    """The zone's time with its offset; empty for a time that the zone moves past the ends of the calendar."""
    try:
        there = moment.astimezone(zone)
        offset = there.strftime("%z")
        return f"{there:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:5]}"
    except OverflowError:
        return NOTHING


def utc_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def documents(codes: tuple[str, ...], language: str) -> str:
    """Document types in words, with their codes."""
    named = [(word("document", each.lstrip("N"), language), _scalar(each)) for each in codes[:20]]
    return ", ".join(code if name == code.lstrip("N") else f"{name} ({code})" for name, code in named) or NOTHING


def _parameters(entry: Entry, language: str) -> dict[str, str]:
    """The values of all placeholders; a dash for those missing in the payload."""
    facts = entry.facts
    declaration = part_of(facts, "declaration")
    errors = facts.get("errors")
    pay_by = moment_of(facts, "pay_by")
    plain = {name: _scalar(facts.get(name)) for name in _PLAIN}
    return plain | {
        "number": _scalar(facts.get("declaration_number") or facts.get("number")),
        "lrn": _scalar(facts.get("lrn") or declaration.get("lrn")),
        "hold": word("hold", text_of(facts, "hold"), language),
        "reason": _reason(entry, language),
        "pay_by": utc_time(pay_by) if pay_by else NOTHING,
        "total": money_of(facts, "total") or NOTHING,
        "amount": money_of(facts, "amount") or NOTHING,
        "paid": money_of(facts, "paid") or NOTHING,
        "due": money_of(facts, "due") or NOTHING,
        "place": place_of(part_of(facts, "location"))[:200] or NOTHING,
        "kind": word("kind", text_of(facts, "kind") or entry.name.removeprefix("partners."), language),
        "documents": documents(texts_of(facts, "documents"), language),
        "template": word("template", text_of(facts, "template"), language),
        "told_in": word("page.language", text_of(facts, "language"), language),
        "declaration": _scalar(facts.get("declaration_id")),
        "count": str(len(errors)) if isinstance(errors, list) else NOTHING,
        **_coded(entry, language),
    }


_PLAIN = (
    "publisher", "partner", "role", "recipient", "attempt", "reference", "score", "payment_reference", "lane", "result",
    "status", "channel",
)  # fmt: skip


def _coded(entry: Entry, language: str) -> dict[str, str]:
    """The enumerated fields, in words."""
    return {
        name: word(f"code.{enumeration}", text_of(entry.facts, name), language)
        for name, enumeration in enumerations(entry.type).items()
        if name in _WORDED
    }


_WORDED = ("lane", "result", "status", "channel", "reason", "role")
"""Enumerated fields used as placeholders."""


def _reason(entry: Entry, language: str) -> str:
    """A reason that is not enumerated: matching's are in the catalogue, staff's are free text."""
    reason = text_of(entry.facts, "reason")
    if entry.name == "matching.listing.withdrawn":
        return word("listing_withdrawn", reason, language)
    if entry.name == "matching.match.withdrawn":
        return describe_code(f"matching.withdrawn.{reason}", language, part_of(entry.facts, "parameters"))
    return _scalar(reason)


def _has(code: str) -> bool:
    return code in catalogue()


def _scalar(value: object) -> str:
    return str(value)[:200] if isinstance(value, str | int | float) and value != "" else NOTHING
