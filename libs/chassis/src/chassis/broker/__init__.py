"""The broker: connections, the consumer group, and the check of topics against the topics table.

Owns: settings and security of connections, the making of topics. Keeps: a missing right is one clear line. Must not
read records.
"""

from chassis.broker.topic_making import TopicsRefused, make_topics

__all__ = [
    "TopicsRefused",
    "make_topics",
]
