"""Publishing what was saved: from the outbox of a document to the broker.

Owns: the publisher, its producer and record batches, trimming and sweeping. Keeps: the events of one document are sent
in order, each at least once, none before it is saved. Must not decide anything or read a topic.
"""

from chassis.publishing.record_batches import MAX_BATCH_BYTES, BatchingProducer

__all__ = [
    "MAX_BATCH_BYTES",
    "BatchingProducer",
]
