"""The rows of a timeline: what, when, who, cause, retraction and conflicts.

Invariant: a row links only to rows of the same page; a cause without a row is described in words.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence

from contracts.masking import masked_event
from tracking.domain.declaration import Fault, faults_of
from tracking.domain.entry import Entry
from tracking.domain.facts import part_of, text_of
from tracking.domain.timeline import Step
from tracking.views.reader import Reader, View, listed
from tracking.views.situation import fault_text
from tracking.wording import describe, happened, name_of_actor

_SUBMISSION_PARTS = 3


def steps_view(steps: Sequence[Step], traces: Collection[str], reader: Reader) -> list[View]:
    """Every step; `traces` are the trace ids whose spans the page shows."""
    rows = {step.entry.id: step.entry for step in steps}
    return [_step(step, rows, traces, reader) for step in steps]


def _step(step: Step, rows: Mapping[str, Entry], traces: Collection[str], reader: Reader) -> View:
    entry = step.entry
    when = reader.moment(entry.happened_at)
    told = happened(entry.facts)
    return {
        "id": entry.id,
        "type": entry.type,
        "text": describe(entry, reader.language),
        "happened_at": when if told else None,
        "expected_at": None if told else when,
        "happened_offset": entry.happened_offset,
        "received_at": reader.moment(entry.received_at),
        "stated_at": reader.moment(entry.stated_at),
        "actor": entry.actor,
        "actor_text": name_of_actor(entry.actor, reader.language),
        "cause": entry.cause,
        **_cause(entry, rows, reader),
        "trace_id": entry.trace_id,
        "trace_shown": entry.trace_id in traces,
        "subject": entry.subject,
        "sequence": entry.sequence,
        "topic": entry.position.topic,
        "partition": entry.position.partition,
        "offset": entry.position.offset,
        "classifier": text_of(entry.facts, "classifier"),
        "retracts": text_of(entry.facts, "retracts"),
        "retracted_by": step.retracted_by,
        "conflicts": [_conflict(each, reader) for each in step.conflicts],
        "warnings": list(_warnings(entry, reader)),
        "raw": _raw(entry),
    }


def _warnings(entry: Entry, reader: Reader) -> Iterator[str]:
    """The warnings of the gateway or of declarations."""
    for told in listed(part_of(entry.facts, "receipt").get("warnings")):
        code, pointer, value, expected = (text_of(told, name) for name in ("code", "pointer", "value", "expected"))
        yield fault_text(Fault(f"gateway.{code}", pointer, "", {"value": value, "expected": expected}), reader)
    for fault in faults_of(entry.facts, "warnings"):
        yield fault_text(fault, reader)


def _conflict(entry: Entry, reader: Reader) -> View:
    actor = {"actor": entry.actor, "actor_text": name_of_actor(entry.actor, reader.language)}
    return {"raw": _raw(entry), "position": str(entry.position), **actor}


def _cause(entry: Entry, rows: Mapping[str, Entry], reader: Reader) -> View:
    """The link to the cause's row, or else a description of the cause."""
    cause = rows.get(entry.cause)
    if cause is not None and entry.cause != entry.id:
        return {"cause_row": entry.cause, "cause_text": describe(cause, reader.language)}
    return {"cause_row": "", "cause_text": _cause_in_words(entry, reader) if entry.cause else ""}


def _cause_in_words(entry: Entry, reader: Reader) -> str:
    if (submission := _submission(entry.cause)) is not None:
        submitter, source, id_ = submission
        who = name_of_actor(submitter, reader.language)
        return reader.say("cause.submission", submitter=who, source=source, id=id_)
    aggregate = entry.subject
    if aggregate and entry.cause.startswith(f"{aggregate}/"):
        return reader.say("cause.step", aggregate=aggregate, step=entry.cause.removeprefix(f"{aggregate}/"))
    return reader.say("cause.elsewhere", id=entry.cause)


def _submission(cause: str) -> tuple[str, str, str] | None:
    """Submitter, source and id, if the cause is a submission to the gateway."""
    try:
        parts = json.loads(cause)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or len(parts) != _SUBMISSION_PARTS:
        return None
    texts = [each for each in parts if isinstance(each, str)]
    return (texts[0], texts[1], texts[2]) if len(texts) == _SUBMISSION_PARTS else None


def _raw(entry: Entry) -> str:
    """The event's original payload with personal data masked."""
    return json.dumps(masked_event(entry.type, json.loads(entry.raw)), ensure_ascii=False)
