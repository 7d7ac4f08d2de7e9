"""Parked deliveries and audit lines ↔ database documents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.parking.model import AuditLine, ParkedDelivery, Position


def document_of(delivery: ParkedDelivery, parked_at: datetime) -> dict[str, Any]:
    """The stored form of a delivery."""
    return {
        "_id": delivery.id,
        "target": delivery.target,
        "topic": delivery.position.topic,
        "partition": delivery.position.partition,
        "offset": delivery.position.offset,
        "key": delivery.key,
        "headers": [[name, value] for name, value in delivery.headers],
        "value": delivery.value,
        "timestamp_ms": delivery.timestamp_ms,
        "reason": delivery.reason,
        "error": delivery.error,
        "stack": delivery.stack,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "trace_id": delivery.trace_id,
        "build": delivery.build,
        "parked_at": parked_at,
    }


def delivery_of(document: Mapping[str, Any]) -> ParkedDelivery:
    """A parked delivery; without headers and content if the query left them out."""
    return ParkedDelivery(
        target=document["target"],
        position=Position(document["topic"], document["partition"], document["offset"]),
        key=document["key"],
        headers=tuple((name, value) for name, value in document.get("headers", ())),
        value=document.get("value"),
        timestamp_ms=document["timestamp_ms"],
        reason=document["reason"],
        error=document["error"],
        stack=document["stack"],
        event_id=document["event_id"],
        event_type=document["event_type"],
        trace_id=document["trace_id"],
        build=document["build"],
        parked_at=document["parked_at"],
        tried_at=document.get("tried_at"),
    )


def audit_line_of(document: Mapping[str, Any]) -> AuditLine:
    """An audit line."""
    delivery = delivery_of(document["delivery"]) if "delivery" in document else None
    return AuditLine(
        id=document["_id"],
        action=document["action"],
        target=document.get("target") or (delivery.target if delivery else ""),
        by=document["by"],
        why=document["why"],
        outcome=document["outcome"],
        at=document["at"],
        delivery=delivery,
    )
