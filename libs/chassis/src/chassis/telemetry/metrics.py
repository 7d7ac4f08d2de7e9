"""What a service measures about itself; served at `/metrics` of the admin port.

Names and meaning stand here once: dashboards, alerts and runbooks refer to them. A help text says
what is counted, in which unit, and what to do about it. A gauge of how things stand now is read when
it is asked for where that is possible, so that it cannot keep an old value while its loop hangs.
"""

from bisect import bisect_left
from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram


class BatchHistogram(Histogram):
    """A histogram that takes the amounts of a batch at once: one by one they cost as much as their log lines."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """As `observe` of each."""
        counts = [0] * len(self._buckets)
        for amount in amounts:
            counts[bisect_left(self._upper_bounds, amount)] += 1
        for bucket, count in zip(self._buckets, counts, strict=True):
            bucket.inc(count)
        self._sum.inc(sum(amounts))


DELIVERIES = Counter(
    "trade_deliveries_total",
    "Deliveries by how they ended: applied, duplicate (dropped, known already), parked, not_addressed. "
    "Duplicates come with restarts and rebalances; parked ones wait for staff: trade parked list.",
    ["outcome"],
)
LATENCY_SECONDS = BatchHistogram(
    "trade_delivery_latency_seconds",
    "Seconds from an event's time to its being applied here. Slow everywhere: lag and unsent; only here: the database.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
LAG_SECONDS = Gauge(
    "trade_consumer_lag_seconds",
    "Age in seconds of the oldest record of the assigned partitions that is not resolved; 0 when none waits. While "
    "the broker does not answer it grows from the last moment at which nothing was known to wait. "
    "Growing: see trade_consumer_rests and the log's batch_failed.",
)
LAG_RECORDS = Gauge(
    "trade_consumer_lag_records",
    "Records of the assigned partitions that are not resolved, as the broker last told. Falling: it catches up.",
)
CONSUMER_PARTITIONS = Gauge(
    "trade_consumer_partitions",
    "Partitions that the group has given this member. 0 for long on all replicas: nobody consumes; see the broker.",
)
CONSUMER_RESTS = Gauge(
    "trade_consumer_rests",
    "1 while consumption rests: database or peer away, the outbox full, or the breaker open; the log says which.",
)
CONSUMER_RESTARTS = Counter(
    "trade_consumer_restarts_total",
    "Consumers that hung and were started anew. More than now and then: the broker, or the network to it.",
)
INFRASTRUCTURE_FAILURES = Counter(
    "trade_infrastructure_failures_total",
    "Attempts that met an absent database, broker or peer, by where; each is repeated. Steady growth: mend that part.",
    ["where"],
)
DATABASE_FAULTS = Counter(
    "trade_database_faults_total",
    "Calls of the database that broke in its driver, of no known kind. Nothing is parked, it is tried again, and it "
    "needs a person: the log's database_fault has the stack.",
)
EVENTS_PUBLISHED = Counter(
    "trade_events_published_total", "Events acknowledged by Kafka. Standing still while unsent grows: Kafka.", ["topic"]
)
UNSENT = Gauge(
    "trade_unsent_events",
    "Events saved and not acknowledged by Kafka yet, stuck ones aside. Doors answer 503 above the limit: see Kafka.",
)
OLDEST_UNSENT_SECONDS = Gauge(
    "trade_oldest_unsent_seconds",
    "Age in seconds of the oldest unsent event, stuck ones aside; 0 when none waits. Growing: Kafka is slow or away.",
)
PRODUCER_REBUILDS = Counter(
    "trade_producer_rebuilds_total",
    "Producers that were suspect (no acknowledgement, an error of the broker) and were built anew. Steady: the broker.",
)
STUCK_DOCUMENTS = Counter(
    "trade_stuck_documents_total",
    "Documents whose event Kafka refused for good. Each waits alone: trade_documents_stuck says how many still do.",
)
DOCUMENTS_STUCK = Gauge(
    "trade_documents_stuck",
    "Documents whose event Kafka refuses, now; tried again every minute. Needs a release that makes the event smaller, "
    "or a broker that takes it; the log's event_refused_for_good names it.",
)
PARKED_DELIVERIES = Gauge(
    "trade_parked_deliveries",
    "Deliveries of this service that wait for staff, all replicas alike; as the database last told: trade parked list.",
)
PARKED_TARGETS = Gauge(
    "trade_parked_targets", "Targets of this service with something parked: trade parked list --by target."
)
STRAYS_REDRIVEN = Counter(
    "trade_strays_redriven_total",
    "Targets that waited behind nothing and were replayed without staff. A few with each redrive or crash are normal.",
)
BREAKER_OPEN = Gauge(
    "trade_breaker_open",
    "1 while nothing is consumed because too much was parked for one reason. Mend it, then redrive one of the flood, "
    "or ~breaker.",
)
OVERDUE_TIMERS = Gauge(
    "trade_overdue_timers",
    "Deadlines that have passed and did not fire yet, parked ones aside, at most 200 counted. "
    "They wait for the group's offsets (see lag) or rest (trade_timers_rest).",
    ["timer"],
)
OLDEST_OVERDUE_SECONDS = Gauge(
    "trade_oldest_overdue_timer_seconds",
    "For how many seconds the longest overdue deadline is overdue, parked ones aside; 0 when none is.",
    ["timer"],
)
TIMERS_REST = Gauge(
    "trade_timers_rest",
    "1 while due timers rest because this process's clock and the database's differ by over 5 s: mend the clock.",
    ["timer"],
)
PENDING_WORK = Gauge(
    "trade_pending_work",
    "Documents that wait for a peer or for something to be sent, at most one batch counted. Standing: see that peer.",
    ["work"],
)
TOPICS_WRONG = Gauge(
    "trade_topics_wrong",
    "Differences of the broker's topics from the topics table; without any, partitions that nobody reads: see the log.",
)
TRACES = Counter(
    "trade_traces_total",
    "Traces that began here or came in from outside, by whether their spans are recorded. Not recorded: more began "
    "than there is room for; events and logs of such a trace carry its id all the same.",
    ["recorded"],
)
DATABASE_COMMANDS = Counter(
    "trade_database_commands_total",
    "Commands that the database has answered, by kind and collection. What one shipment costs: how many more there are "
    "after it.",
    ["command", "collection"],
)
DATABASE_STATEMENTS = Counter(
    "trade_database_statements_total",
    "Single writes in the commands that the database has answered: each document of an insert, each update, each "
    "delete. A bulk is one command and many of them, and they are what it costs.",
    ["command", "collection"],
)
DATABASE_SECONDS = Counter(
    "trade_database_seconds_total",
    "Seconds from sending a command to its answer, added up by kind and collection. Over the number of commands: how "
    "long one takes; growing everywhere at once: the database is at its limit.",
    ["command", "collection"],
)
HTTP_SECONDS = Histogram(
    "trade_http_request_seconds",
    "Requests at the HTTP door and the seconds to the end of their answers, by the route's template, method and status "
    "(cut: the connection ended before the answer did); _count says how many there were. 500: the log's "
    "request_unanswered has the stack; 503: database, broker or a peer, or no room: trade_door_turned_away_total.",
    ["door", "route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 45),
)
HTTP_IN_HAND = Gauge(
    "trade_http_requests_in_hand",
    "Requests that came and are not answered yet, those included that wait for a place or still send their bodies. "
    "Many of one route: see what it waits for.",
    ["door", "route", "method"],
)
GRPC_SECONDS = Histogram(
    "trade_grpc_call_seconds",
    "Calls at the gRPC doors and the seconds that they took, by method and code; _count says how many there were. "
    "INTERNAL: the log's call_broke has the stack; UNAVAILABLE: a server is away, or no room at the door.",
    ["door", "method", "code"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30),
)
GRPC_IN_HAND = Gauge(
    "trade_grpc_calls_in_hand",
    "Calls that came and are not answered yet. Many of one method: see what it waits for.",
    ["door", "method"],
)
DOOR_PLACES = Gauge(
    "trade_door_places",
    "Requests that a door of this process works at side by side, as set (TRADE_HTTP__PLACES, TRADE_GRPC__PLACES). More "
    "of them do not make the database faster: see trade_database_seconds_total.",
    ["door"],
)
DOOR_PLACES_TAKEN = Gauge(
    "trade_door_places_taken",
    "Places of a door that are taken. At trade_door_places for long: the database is slow, or replicas are missing.",
    ["door"],
)
DOOR_WAITING = Gauge(
    "trade_door_waiting",
    "Requests that wait for a place, a second at most. Above zero for long: the door is at its limit.",
    ["door"],
)
DOOR_TURNED_AWAY = Counter(
    "trade_door_turned_away_total",
    "Requests turned away before anything was begun, by why: full (no room to wait), late (none came free in time), "
    "unsent (the outbox is overloaded: see Kafka). Senders come again; steady: add replicas, or mend what is slow.",
    ["door", "why"],
)
