"""The floor's plan has the saves of a recorded shipment, in order and without repeats."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.plan import by_subject, planned, told_of
from bench.recording import Recording, Told, read_recording
from contracts.envelope import Envelope
from contracts.topics import DECLARATIONS, GATEWAY, NOTIFICATIONS, PARTNERS, Topic

BEGUN = datetime(2026, 1, 5, 8, tzinfo=UTC)


class Story:
    """Events, one per second."""

    def __init__(self) -> None:
        self.events: list[Told] = []

    def say(self, topic: Topic, fact: str, subject: str, cause: str) -> str:
        sequence = 1 + sum(each.envelope.subject == subject for each in self.events)
        envelope = Envelope(
            id=f"{subject}/0.{sequence}",
            source=f"/trade/{topic.owner}",
            type=f"trade.{topic.owner}.{fact}.v1",
            time=BEGUN + timedelta(seconds=len(self.events)),
            subject=subject,
            sequence=sequence,
            partitionkey="U",
            causationid=cause,
            actor="service:test",
        )
        self.events.append(Told(topic.name, envelope, b"U", envelope.headers(), b"{}"))
        return envelope.id


def a_shipment() -> Recording:
    """Lodged, accepted after an arrival, closed; a firm is notified by inbox and mail."""
    story = Story()
    lodged = story.say(GATEWAY, "declaration.submitted", "R1", "firm/1")
    submitted = story.say(DECLARATIONS, "declaration.submitted", "D1", lodged)
    story.say(DECLARATIONS, "declaration.prelodged", "D1", "standing/1")
    arrived = story.say(PARTNERS, "shipment.arrived", "P1", "port/1")
    story.say(DECLARATIONS, "declaration.accepted", "D1", arrived)
    closed = story.say(DECLARATIONS, "declaration.closed", "D1", arrived)
    story.say(NOTIFICATIONS, "notice.created", "N1", closed)
    story.say(NOTIFICATIONS, "notice.addressed", "N1", "address/1")
    story.say(NOTIFICATIONS, "notice.created", "N2", closed)
    story.say(NOTIFICATIONS, "notice.sent", "N1", "attempt/1")
    story.say(NOTIFICATIONS, "notice.sent", "N2", "inbox/1")
    assert submitted == "D1/0.1"
    documents: Mapping[str, list[dict[str, Any]]] = {
        "gateway.firm_receipts": [{"_id": "R1", "state": {"original": "hash"}, "outbox": []}],
        "gateway.originals": [{"_id": "hash", "body": b"sent"}, {"_id": "other", "body": b""}],
        "declarations.declarations": [{"_id": "D1", "state": {"status": "closed"}, "outbox": []}],
        "notifications.notices": [{"_id": each, "state": {"n": each}, "outbox": []} for each in ("N1", "N2")],
        "notifications.texts": [{"_id": "N1", "email": "li@firm.example"}, {"_id": "N2", "email": ""}],
        "tracking.entries": [{"_id": "D1"}],
    }
    return Recording(story.events, documents, [b"Subject: x\r\n\r\ny"])


def test_every_event_is_saved_and_published_once() -> None:
    recording = a_shipment()
    said = [told.envelope.id for step in planned(recording).steps for told in step.events]
    assert sorted(said) == sorted(each.envelope.id for each in recording.events)


def test_each_step_waits_for_its_cause() -> None:
    plan = planned(a_shipment())
    assert [step.subject for step in plan.on_heard[""]] == ["R1"]
    assert [step.subject for step in plan.on_heard["D1/0.2"]] == ["P1"], "the port reacts to the prelodgement"
    assert {waits: [step.subject for step in steps] for waits, steps in plan.on_event.items()} == {
        ("declarations", "R1/0.1"): ["D1"],
        ("declarations", "P1/0.1"): ["D1"],
        ("notifications", "D1/0.4"): ["N1", "N2"],
    }
    assert [step.subject for step in plan.on_sent["N1"]] == ["N1"]
    assert plan.closes == "D1/0.4"


def test_steps_that_can_be_decided_together_are_one_save() -> None:
    """A peer's answer is known; an inbox notice is sent when created, a mail only when accepted."""
    saves = [(step.subject, step.first, len(step.events)) for step in planned(a_shipment()).steps]
    assert sorted(saves) == [
        ("D1", False, 2),
        ("D1", True, 2),
        ("N1", False, 1),
        ("N1", True, 2),
        ("N2", True, 2),
        ("P1", True, 1),
        ("R1", True, 1),
    ]


def test_texts_and_original_bytes_are_inserted_with_their_document() -> None:
    (lodging,) = planned(a_shipment()).on_heard[""]
    assert lodging.collection == "firm_receipts"
    assert [(collection, each["_id"]) for collection, each in lodging.beside] == [("originals", "hash")]


def test_steps_of_one_document_in_one_batch_are_one_save() -> None:
    plan = planned(a_shipment())
    (first,), (second,) = plan.on_event["declarations", "R1/0.1"], plan.on_event["declarations", "P1/0.1"]
    assert by_subject([(1, first), (2, first), (1, second)]) == [((1, "D1"), [first, second]), ((2, "D1"), [first])]


def test_an_incomplete_recording_raises() -> None:
    whole = a_shipment()
    with pytest.raises(ValueError, match="not of a whole shipment"):
        planned(Recording(whole.events[:3], whole.documents, whole.mails))


def test_a_recording_is_read_back_unchanged(tmp_path: Path) -> None:
    recording = a_shipment()
    recording.write(tmp_path / "recording")
    read = read_recording(tmp_path / "recording")
    assert (read.events, read.mails) == (recording.events, recording.mails)
    assert told_of(planned(read), read) == told_of(planned(recording), recording)
