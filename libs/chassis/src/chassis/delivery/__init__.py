"""Delivery: passes each record to the handlers that subscribe to it, until every delivery has an outcome.

Owns: records and events, subscriptions, and the policy for retrying, parking and redriving. Keeps: a failing target
blocks only itself; nothing is skipped. Must not know the broker's client.
"""

from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.records import Event, RawRecord, classify
from chassis.delivery.subscriptions import (
    AggregateHandler,
    Delivery,
    RawSubscription,
    Subscription,
    content_hash,
    to_input,
)

__all__ = [
    "AggregateHandler",
    "Delivery",
    "DeliveryPolicy",
    "Event",
    "RawRecord",
    "RawSubscription",
    "Subscription",
    "classify",
    "content_hash",
    "to_input",
]
