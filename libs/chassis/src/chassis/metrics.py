"""What a service measures about itself; served at `/metrics` of the admin port.

Names and meaning stand here once: dashboards, alerts and runbooks refer to them.
"""

from prometheus_client import Counter, Gauge, Histogram

DELIVERIES = Counter(
    "trade_deliveries_total", "Deliveries by how they ended: applied, duplicate, parked, not_addressed", ["outcome"]
)
LATENCY_SECONDS = Histogram(
    "trade_delivery_latency_seconds",
    "From an event's time to its being applied",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
LAG_RECORDS = Gauge("trade_consumer_lag_records", "Records of the assigned partitions that are not read yet")
CONSUMER_RESTARTS = Counter("trade_consumer_restarts_total", "Consumers that hung and were started anew")
INFRASTRUCTURE_FAILURES = Counter(
    "trade_infrastructure_failures_total", "Attempts that met an absent database, broker or peer", ["where"]
)
EVENTS_PUBLISHED = Counter("trade_events_published_total", "Events acknowledged by Kafka", ["topic"])
UNSENT = Gauge("trade_unsent_events", "Events saved and not acknowledged by Kafka yet")
OLDEST_UNSENT_SECONDS = Gauge("trade_oldest_unsent_seconds", "For how long the oldest unsent event has waited")
STUCK_DOCUMENTS = Counter("trade_stuck_documents_total", "Documents whose event Kafka refuses for good")
PARKED_DELIVERIES = Gauge("trade_parked_deliveries", "Deliveries that wait for staff")
PARKED_TARGETS = Gauge("trade_parked_targets", "Targets with something parked")
BREAKER_OPEN = Gauge("trade_breaker_open", "1 while consumption pauses because too much was parked")
TOPICS_WRONG = Gauge(
    "trade_topics_wrong", "Ways in which the broker's topics differ from the topics table, looked at now and then"
)
OVERDUE_TIMERS = Gauge("trade_overdue_timers", "Deadlines that have passed and did not fire yet")
TIMERS_REST = Gauge("trade_timers_rest", "1 while timers rest because the clocks differ")
PENDING_WORK = Gauge("trade_pending_work", "Documents that wait for a peer or for something to be sent", ["work"])
