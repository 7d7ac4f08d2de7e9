"""The broker itself: connections, the consumer group, and whether topics are as the topics table says.

Owns: settings and security of connections. Keeps: a missing right is one clear line. Must not read records.
"""

from chassis.broker.topic_check import NOT_ALLOWED, refusal

__all__ = [
    "NOT_ALLOWED",
    "refusal",
]
