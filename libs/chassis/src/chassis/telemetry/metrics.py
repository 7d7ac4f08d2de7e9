"""The metrics of a service, served at `/metrics` of the admin port.

Names and meanings are defined here only; dashboards, alerts and runbooks refer to them. A help text says what is
measured, in which unit, and what to do about it. Gauges are computed when scraped where possible, so that they do not
keep an old value while a loop hangs.
"""

from bisect import bisect_left
from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram


class BatchHistogram(Histogram):
    """A histogram that observes a batch of values at once; one by one they cost as much as their log lines."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """Like `observe` for each value."""
        counts = [0] * len(self._buckets)
        for amount in amounts:
            counts[bisect_left(self._upper_bounds, amount)] += 1
        for bucket, count in zip(self._buckets, counts, strict=True):
            bucket.inc(count)
        self._sum.inc(sum(amounts))


DELIVERIES = Counter(
    "trade_deliveries_total",
    "Deliveries by outcome: applied, duplicate (known already, dropped), parked, not_addressed. "
    "Duplicates come with restarts and rebalances; parked ones wait for staff: trade parked list.",
    ["outcome"],
)
LATENCY_SECONDS = BatchHistogram(
    "trade_delivery_latency_seconds",
    "Seconds from an event's time until it was applied here. Slow everywhere: check lag and unsent; only here: check "
    "the database.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
LAG_SECONDS = Gauge(
    "trade_consumer_lag_seconds",
    "Age in seconds of the oldest unresolved record of the assigned partitions; 0 when none waits. While "
    "the broker does not answer it grows from the last moment at which nothing was known to wait. "
    "Growing: see trade_consumer_rests and the log's batch_failed.",
)
LAG_RECORDS = Gauge(
    "trade_consumer_lag_records",
    "Unresolved records of the assigned partitions, as the broker last reported. Falling: the service is catching up.",
)
CONSUMER_PARTITIONS = Gauge(
    "trade_consumer_partitions",
    "Partitions assigned to this member. 0 for long on all replicas: nobody consumes; check the broker.",
)
CONSUMER_RESTS = Gauge(
    "trade_consumer_rests",
    "1 while consumption is paused: database or peer unavailable, outbox full, or breaker open; the log says which.",
)
CONSUMER_RESTARTS = Counter(
    "trade_consumer_restarts_total",
    "Consumers that hung and were restarted. More than now and then: check the broker and the network to it.",
)
INFRASTRUCTURE_FAILURES = Counter(
    "trade_infrastructure_failures_total",
    "Attempts that failed because the database, broker or a peer was unavailable, by place; each is retried. Steady "
    "growth: fix that part.",
    ["where"],
)
DATABASE_FAULTS = Counter(
    "trade_database_faults_total",
    "Database calls that failed in the driver with an unknown error. They are retried and nothing is parked, but a "
    "person must look: the log's database_fault has the stack.",
)
EVENTS_PUBLISHED = Counter(
    "trade_events_published_total", "Events acknowledged by Kafka. Constant while unsent grows: see Kafka.", ["topic"]
)
UNSENT = Gauge(
    "trade_unsent_events",
    "Events saved and not yet acknowledged by Kafka, without stuck ones. Above the limit doors answer 503: see Kafka.",
)
OLDEST_UNSENT_SECONDS = Gauge(
    "trade_oldest_unsent_seconds",
    "Age in seconds of the oldest unsent event, without stuck ones; 0 when none waits. Growing: Kafka is slow or down.",
)
PRODUCER_REBUILDS = Counter(
    "trade_producer_rebuilds_total",
    "Producers replaced after a missing acknowledgement or a broker error. Steady growth: check the broker.",
)
STUCK_DOCUMENTS = Counter(
    "trade_stuck_documents_total",
    "Documents whose event Kafka permanently refused. Each waits alone: trade_documents_stuck counts those now.",
)
DOCUMENTS_STUCK = Gauge(
    "trade_documents_stuck",
    "Documents whose event Kafka refuses now; retried every minute. Needs a release that makes the event smaller, "
    "or a broker that accepts it; the log's event_refused_for_good names it.",
)
PARKED_DELIVERIES = Gauge(
    "trade_parked_deliveries",
    "Parked deliveries of this service, over all replicas, as last read from the database: trade parked list.",
)
PARKED_TARGETS = Gauge(
    "trade_parked_targets", "Targets of this service with parked deliveries: trade parked list --by target."
)
STRAYS_REDRIVEN = Counter(
    "trade_strays_redriven_total",
    "Targets whose deliveries waited behind nothing and were replayed automatically. A few per redrive or crash are "
    "normal.",
)
BREAKER_OPEN = Gauge(
    "trade_breaker_open",
    "1 while nothing is consumed because too much was parked for one reason. Fix the cause, then redrive one of these, "
    "or ~breaker.",
)
OVERDUE_TIMERS = Gauge(
    "trade_overdue_timers",
    "Deadlines that have passed and not fired yet, without parked ones, counted up to 200. "
    "They wait for the group's offsets (see lag) or are paused (trade_timers_rest).",
    ["timer"],
)
OLDEST_OVERDUE_SECONDS = Gauge(
    "trade_oldest_overdue_timer_seconds",
    "Seconds since the oldest overdue deadline passed, without parked ones; 0 when none is overdue.",
    ["timer"],
)
TIMERS_REST = Gauge(
    "trade_timers_rest",
    "1 while due timers are paused because this process's clock and the database's differ by over 5 s: fix the clock.",
    ["timer"],
)
PENDING_WORK = Gauge(
    "trade_pending_work",
    "Documents that wait for a peer or for something to be sent, counted up to one batch. Steady: check that peer.",
    ["work"],
)
TOPICS_WRONG = Gauge(
    "trade_topics_wrong",
    "Differences of the broker's topics from the topics table; if there are none, partitions without a reader: see the "
    "log.",
)
TRACES = Counter(
    "trade_traces_total",
    "Traces that began here or came from outside, by whether their spans are recorded. Not recorded: over the rate "
    "limit; events and logs of such a trace still carry its id.",
    ["recorded"],
)
DATABASE_COMMANDS = Counter(
    "trade_database_commands_total",
    "Commands answered by the database, by kind and collection. The increase over one shipment is its cost.",
    ["command", "collection"],
)
DATABASE_STATEMENTS = Counter(
    "trade_database_statements_total",
    "Single writes in the commands answered by the database: each document of an insert, each update, each delete. "
    "A bulk is one command with many writes, and the writes determine its cost.",
    ["command", "collection"],
)
DATABASE_SECONDS = Counter(
    "trade_database_seconds_total",
    "Total seconds from sending a command to its answer, by kind and collection. Divided by the number of commands: "
    "the time of one; growing everywhere at once: the database is at its limit.",
    ["command", "collection"],
)
HTTP_SECONDS = Histogram(
    "trade_http_request_seconds",
    "Seconds from a request at the HTTP door to the end of its answer, by route template, method and status (cut: the "
    "connection ended before the answer did); _count is the number of requests. 500: the log's request_unanswered has "
    "the stack; 503: database, broker or a peer, or turned away: trade_door_turned_away_total.",
    ["door", "route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 45),
)
HTTP_IN_HAND = Gauge(
    "trade_http_requests_in_hand",
    "Requests not answered yet, including those that wait for a place or still send their bodies. Many of one route: "
    "see what it waits for.",
    ["door", "route", "method"],
)
GRPC_SECONDS = Histogram(
    "trade_grpc_call_seconds",
    "Seconds that calls at the gRPC door took, by method and code; _count is the number of calls. "
    "INTERNAL: the log's call_broke has the stack; UNAVAILABLE: a server is unavailable, or the door is full.",
    ["door", "method", "code"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30),
)
GRPC_IN_HAND = Gauge(
    "trade_grpc_calls_in_hand",
    "Calls not answered yet. Many of one method: see what it waits for.",
    ["door", "method"],
)
DOOR_PLACES = Gauge(
    "trade_door_places",
    "Configured number of requests that a door of this process handles at once (TRADE_HTTP__PLACES, "
    "TRADE_GRPC__PLACES). More do not make the database faster: see trade_database_seconds_total.",
    ["door"],
)
DOOR_PLACES_TAKEN = Gauge(
    "trade_door_places_taken",
    "Places of a door in use. At trade_door_places for long: the database is slow, or more replicas are needed.",
    ["door"],
)
DOOR_WAITING = Gauge(
    "trade_door_waiting",
    "Requests waiting for a place, at most a second each. Above zero for long: the door is at its limit.",
    ["door"],
)
DOOR_TURNED_AWAY = Counter(
    "trade_door_turned_away_total",
    "Requests turned away before they began, by reason: full (too many waiting), late (no place in time), "
    "unsent (the outbox is overloaded: see Kafka). Senders retry; steady: add replicas, or fix what is slow.",
    ["door", "why"],
)
