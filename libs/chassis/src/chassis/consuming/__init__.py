"""Consuming: from partitions to the delivery of their records.

Owns: the consumer, its commits and lag, and reading whatever bytes stand on a topic. Keeps: no offset is committed
before every record below it has its outcome; a bad record stops no other. Must not know what a record means.
"""

from chassis.consuming.reader import Reader

__all__ = [
    "Reader",
]
