"""Publishing what was saved: from the outbox of a document to the broker.

Owns: the publisher, its producer and record batches, trimming and sweeping. Keeps: the events of one document leave in
their order, each at least once, none before it is saved. Must not decide anything, nor read a topic.
"""
