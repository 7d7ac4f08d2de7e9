"""Builds tracking: the subscriptions to every event topic, the support desk's HTTP server, the OTLP receiver."""

from zoneinfo import ZoneInfo

from chassis.assembly import Assembly
from chassis.clock import Clock
from chassis.delivery import RawSubscription
from contracts.topics import EVENT_TOPICS
from tracking.auth import staff_only
from tracking.coverage import Coverage
from tracking.http import make_app
from tracking.otlp import TraceReceiver
from tracking.parked import ParkedWatch
from tracking.parking_client import NoAddress, ParkingClient
from tracking.settings import TrackingSettings
from tracking.span_store import SpanStore
from tracking.store import TimelineStore
from tracking.subscribers import TimelineSubscriber


def build(settings: TrackingSettings, clock: Clock | None = None) -> Assembly:
    """Build the service.

    Raises:
        tracking.auth.BadPasswordFile: the support desk has no usable password.
    """
    service = Assembly(settings, clock=clock)
    topics = tuple(topic.name for topic in EVENT_TOPICS)

    timelines = TimelineStore(service.db)
    service.on_start(timelines.create_indexes)
    subscriber = TimelineSubscriber(timelines, service.clock)
    for topic in topics:
        service.subscribe(RawSubscription(topic, subscriber))

    spans = SpanStore(
        service.db,
        service.clock,
        days=settings.span_days,
        per_shipment=settings.spans_per_shipment,
        in_all=settings.spans_in_all,
    )
    service.on_start(spans.create_indexes)
    receiver = TraceReceiver(spans, service.clock, settings.otlp)
    service.background(receiver.serve)
    service.background(receiver.write)
    service.background(receiver.clean)

    coverage = Coverage(topics, service.clock)
    service.background(lambda: coverage.watch(service.group))

    parked = ParkedWatch({name: _parking(service, settings, name) for name in settings.parking}, service.clock)
    service.background(parked.watch)

    admits = staff_only(settings.staff_user, settings.staff_password_file)
    zone = ZoneInfo(settings.local_zone)
    served = make_app(timelines, spans, coverage.now, parked.now, now=service.clock.now, admits=admits, zone=zone)
    service.http(served.app, settings.http, paths=served.paths, otherwise=served.otherwise)
    return service


def _parking(service: Assembly, settings: TrackingSettings, name: str) -> ParkingClient | NoAddress:
    return ParkingClient(name, service.peer(name)) if name in settings.peers else NoAddress()
