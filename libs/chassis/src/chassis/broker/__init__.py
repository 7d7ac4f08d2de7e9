"""The broker: connections, the consumer group, and the check of topics against the topics table.

Owns: settings and security of connections, the making of topics. Keeps: a missing right, a wrong password or
certificate is one clear line. Must not read records.
"""

from chassis.broker.refusals import BrokerRefusesUs, reaching
from chassis.broker.topic_making import TopicsRefused, make_topics

__all__ = [
    "BrokerRefusesUs",
    "TopicsRefused",
    "make_topics",
    "reaching",
]
