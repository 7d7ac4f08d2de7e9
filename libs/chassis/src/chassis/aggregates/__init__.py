"""One aggregate = one document: its state, its audit trail and its outbox, changed by one atomic write."""

from chassis.aggregates.apply import Aggregates
from chassis.aggregates.memory import MemoryDocuments
from chassis.aggregates.model import (
    AggregateType,
    Applied,
    Blocked,
    Conflict,
    Duplicate,
    Failed,
    GivenUp,
    Input,
    Messages,
    Outcome,
)
from chassis.aggregates.mongo import MongoDocuments

__all__ = [
    "AggregateType",
    "Aggregates",
    "Applied",
    "Blocked",
    "Conflict",
    "Duplicate",
    "Failed",
    "GivenUp",
    "Input",
    "MemoryDocuments",
    "Messages",
    "MongoDocuments",
    "Outcome",
]
