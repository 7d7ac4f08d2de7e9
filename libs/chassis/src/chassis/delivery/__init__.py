"""Delivery: passes each record to the handlers that subscribe to it, until every delivery has an outcome.

Owns: records and events, subscriptions, and the policy for retrying, parking and redriving. Keeps: a failing target
blocks only itself; nothing is skipped. Must not know the broker's client.
"""

from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.records import UNREADABLE, Event, RawRecord, classify, first_of_each, next_of_each
from chassis.delivery.redrive_plan import Plan
from chassis.delivery.subscriptions import (
    AggregateHandler,
    Delivery,
    RawSubscription,
    Subscription,
    content_hash,
    to_input,
)

__all__ = [
    "UNREADABLE",
    "AggregateHandler",
    "Delivery",
    "DeliveryPolicy",
    "Event",
    "Plan",
    "RawRecord",
    "RawSubscription",
    "Subscription",
    "classify",
    "content_hash",
    "first_of_each",
    "next_of_each",
    "to_input",
]
