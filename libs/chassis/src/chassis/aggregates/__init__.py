"""Aggregates: state, history and outbox in one document, changed by compare-and-set.

Owns: loading, deciding, saving and finding documents, and their storage format. Keeps: an input is applied once; its
events are saved together with the state that results. Must not know Kafka: saved events go to an outbox port.
"""

from chassis.aggregates.apply import Aggregates
from chassis.aggregates.codec import dataclass_codec
from chassis.aggregates.document import Document, HistoryLine, OutboxEntry
from chassis.aggregates.field_names import escaped, fits, unescaped
from chassis.aggregates.model import (
    AggregateType,
    Applied,
    Blocked,
    Conflict,
    DocumentTooLarge,
    Duplicate,
    EventTooLarge,
    Failed,
    GivenUp,
    Input,
    Messages,
    Outcome,
)
from chassis.aggregates.mongo import MongoDocuments
from chassis.aggregates.store import Documents

__all__ = [
    "AggregateType",
    "Aggregates",
    "Applied",
    "Blocked",
    "Conflict",
    "Document",
    "DocumentTooLarge",
    "Documents",
    "Duplicate",
    "EventTooLarge",
    "Failed",
    "GivenUp",
    "HistoryLine",
    "Input",
    "Messages",
    "MongoDocuments",
    "OutboxEntry",
    "Outcome",
    "dataclass_codec",
    "escaped",
    "fits",
    "unescaped",
]
