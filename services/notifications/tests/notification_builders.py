"""Builders of events, parties and notice intents; each takes the fields that matter to a test."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any, cast

from chassis.delivery import Event, RawRecord, classify
from contracts.declarations import v1 as declarations
from contracts.envelope import Envelope as EventEnvelope
from contracts.matching import v1 as matching
from notifications.domain.notice import Channel, Intent, notice_id

DECLARANT = "CN-USCC:91370200MA3C0000X1"
IMPORTER = "RU-INN:7707083893"
CARRIER = "KZ-BIN:190540000014"
UCR = "6CN91370200A0000001"


_numbers = itertools.count(1)


def an_event(fact: str, service: str = "declarations", aggregate: str = "declaration", **fields: Any) -> Event:
    """An event as read from the topic, through the same classification."""
    if aggregate == "declaration":
        fields = {
            "declaration_id": "D-1",
            "lrn": "LRN-1",
            "ucr": UCR,
            "direction": "import",
            "parties": [a_party("declarant", DECLARANT), a_party("importer", IMPORTER), a_party("carrier", CARRIER)],
        } | fields
    type_ = f"trade.{service}.{aggregate}.{fact}.v1"
    known = declarations.EVENTS | matching.EVENTS
    envelope = EventEnvelope(
        id=fields.pop("event_id", f"D-1/0.{next(_numbers)}"),
        source=f"/trade/{service}",
        type=type_,
        time=datetime(2026, 1, 5, 8, tzinfo=UTC),
        subject="D-1",
        sequence=1,
        partitionkey=UCR,
        causationid="cause",
        actor="service:declarations",
        trace=fields.pop("trace", {}),
    )
    headers = tuple((name, value) for name, value in envelope.headers())
    record = RawRecord(f"{service}.events.v1", 0, 0, UCR.encode(), headers, json.dumps(fields).encode(), 0)
    event = classify(record, {type_: known[type_]})
    return cast(Event, event)


def released(**fields: Any) -> Event:
    """A release, which notifies every role by inbox and mail."""
    guard = dict.fromkeys(("accepted", "control_done", "no_holds", "money_settled", "presented"), True)
    return an_event("released", **{"released_at": "2026-01-20T16:00:00+08:00", "guard": guard} | fields)


def a_party(role: str, identifier: str) -> dict[str, Any]:
    scheme, _, value = identifier.partition(":")
    return {"role": role, "identifier": {"scheme": scheme, "value": value}}


def an_intent(channel: Channel = Channel.EMAIL, recipient: str = DECLARANT, **overrides: Any) -> Intent:
    event_id = overrides.pop("event_id", f"D-1/0.{next(_numbers)}")
    id_ = notice_id(event_id, recipient, channel)
    fields = {
        "id": id_,
        "ucr": UCR,
        "declaration_id": "D-1",
        "source_event_id": event_id,
        "source_event_type": "trade.declarations.declaration.released.v1",
        "recipient": recipient,
        "channel": channel,
        "template": "notice.released",
        "message_id": f"<{id_}@trade.invalid>",
        "parameters": {"ucr": UCR, "lrn": "LRN-1", "declaration_number": "422020261000000011"},
    }
    return Intent(**(fields | overrides))
