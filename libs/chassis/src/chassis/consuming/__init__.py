"""Consuming: reads partitions and passes their records on to delivery.

Owns: the consumer, its commits and lag, and reading records whatever bytes they hold. Keeps: an offset is committed
only after every record below it has an outcome; a bad record blocks no other. Must not know what a record means.
"""

from chassis.consuming.reader import Reader
from chassis.consuming.subscriber import raw_record

__all__ = [
    "Reader",
    "raw_record",
]
