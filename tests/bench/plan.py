"""The minimum saves and events of one shipment, step by step, derived from a recorded one.

A step is one save of one document together with its events. Saves of the platform that publish nothing (a claim, an
address) are not steps. Nor are saves that could be decided together with the first one, although the platform queries a
peer in between: their events belong to the first save.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import bson

from bench.recording import Document, Recording, Told
from contracts.topics import DECLARATIONS, EVENT_TOPICS, Topic

CLOSED = ".closed.v1"
_MAILED = ".sent.v1"
_TOPICS: Mapping[str, Topic] = {topic.name: topic for topic in EVENT_TOPICS}


@dataclass(slots=True)
class Step:
    """One save."""

    service: str
    collection: str
    subject: str
    first: bool
    """Whether the document is inserted; otherwise it is changed."""
    events: list[Told]
    state: Document = field(default_factory=dict)
    """The stored state of a first save, apart from its events."""
    beside: Sequence[tuple[str, Document]] = ()
    """(collection, document) pairs inserted with a first save: original bytes, the text of a notice."""


@dataclass(slots=True)
class Plan:
    """All steps, by their trigger."""

    on_event: dict[tuple[str, str], list[Step]] = field(default_factory=dict)
    """(service, id of the event that it reads) → steps."""
    on_heard: dict[str, list[Step]] = field(default_factory=dict)
    """Id of the declarations' event after which a firm or partner submits something ("" for none) → steps."""
    on_sent: dict[str, list[Step]] = field(default_factory=dict)
    """Id of a notice whose mail was accepted → steps."""
    closes: str = ""
    """Id of the event that closes the shipment."""

    @property
    def steps(self) -> list[Step]:
        return [
            step
            for waiting in (self.on_heard, self.on_event, self.on_sent)
            for steps in waiting.values()
            for step in steps
        ]


def planned(recording: Recording) -> Plan:
    """The steps of a recorded shipment.

    Raises:
        ValueError: the recording has no beginning or no end.
    """
    plan = Plan()
    known = {each.envelope.id: each for each in recording.events}
    latest: dict[str, Step] = {}
    for place, told in enumerate(recording.events):
        subject = told.envelope.subject
        before, event = latest.get(subject), told.envelope
        owner = _TOPICS[told.topic].owner
        if event.type.startswith("trade.declarations.") and event.type.endswith(CLOSED):
            plan.closes = event.id
        if before is not None and before.events[-1].envelope.causationid == event.causationid:
            before.events.append(told)
            continue
        cause = known.get(event.causationid)
        read = cause is not None and owner in _TOPICS[cause.topic].readers
        mailed = event.type.endswith(_MAILED) and _is_mail(recording, subject)
        if before is not None and not read and not mailed:
            before.events.append(told)  # decided by the service itself, with what it knew or could query
            continue
        step = _step(recording, owner, told, first=before is None)
        latest[subject] = step
        if mailed:
            plan.on_sent.setdefault(subject, []).append(step)
        elif read:
            plan.on_event.setdefault((owner, event.causationid), []).append(step)
        else:
            plan.on_heard.setdefault(_heard_before(recording.events[:place]), []).append(step)
    if not plan.closes or "" not in plan.on_heard:
        raise ValueError("the recording is not of a whole shipment")
    return plan


def _step(recording: Recording, service: str, told: Told, *, first: bool) -> Step:
    subject = told.envelope.subject
    collection, stored = _stored(recording, service, subject)
    if not first:
        return Step(service, collection, subject, False, [told])
    return Step(service, collection, subject, True, [told], stored.get("state") or {}, _beside(recording, stored))


def _stored(recording: Recording, service: str, subject: str) -> tuple[str, Document]:
    for name, found in recording.documents.items():
        owner, _, collection = name.partition(".")
        if owner == service:
            for document in found:
                if document["_id"] == subject and "outbox" in document:
                    return collection, document
    return "documents", {}


def _beside(recording: Recording, stored: Document) -> list[tuple[str, Document]]:
    """Documents stored with a new document: the text of a notice, the original bytes of a submission."""
    found = [
        ("texts", each) for id_, each in recording.of("notifications", "texts").items() if id_ == stored.get("_id")
    ]
    names = {value for value in (stored.get("state") or {}).values() if isinstance(value, str)}
    return found + [("originals", each) for id_, each in recording.of("gateway", "originals").items() if id_ in names]


def _is_mail(recording: Recording, subject: str) -> bool:
    return bool(recording.of("notifications", "texts").get(subject, {}).get("email"))


def _heard_before(events: Sequence[Told]) -> str:
    """The latest event of declarations, which triggers the next submission."""
    said = [each for each in events if each.topic == DECLARATIONS.name]
    return said[-1].envelope.id if said else ""


def told_of(plan: Plan, recording: Recording) -> Mapping[str, float]:
    """The counts of the plan for the report: saves, inserts, changes, events, mails and kilobytes."""
    events = [told for step in plan.steps for told in step.events]
    beside = [document for step in plan.steps for _, document in step.beside]
    return {
        "events": len(events),
        "inserted documents": sum(step.first for step in plan.steps),
        "changed documents": sum(not step.first for step in plan.steps),
        "kept beside": len(beside),
        "mails": len(recording.mails),
        "kilobytes of events": sum(len(each.value) + _size(each.headers) for each in events) / 1000,
        "kilobytes of documents": sum(len(bson.encode(dict(each))) for each in _states(plan, beside)) / 1000,
    }


def _states(plan: Plan, beside: Sequence[Document]) -> list[Document]:
    return [*(step.state for step in plan.steps), *beside]


def _size(headers: Sequence[tuple[str, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)


def by_subject(steps: Sequence[tuple[int, Step]]) -> Sequence[tuple[tuple[int, str], list[Step]]]:
    """The steps of a batch, grouped by document: each group is one save."""

    def name(each: tuple[int, Step]) -> tuple[int, str]:
        return each[0], each[1].subject

    return [(who, [step for _, step in found]) for who, found in groupby(sorted(steps, key=name), key=name)]


def fields_of(document: Document) -> dict[str, Any]:
    """A document's fields without its id."""
    return {name: value for name, value in document.items() if name != "_id"}
