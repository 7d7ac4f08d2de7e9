"""Metrics of tracking."""

from prometheus_client import Counter

ENTRIES = Counter("tracking_entries", "Events read: new, repeat, conflict", ["outcome"])
UNREADABLE = Counter("tracking_unreadable_records", "Records kept that could not be read", ["topic"])
SPANS = Counter("tracking_spans", "Spans received: kept, not_addressed (no UCR), over_bound, dropped", ["outcome"])
