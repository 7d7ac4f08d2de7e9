"""The gateway, composed: what it subscribes to, what it serves, what it keeps."""

from datetime import timedelta

from chassis.clock import Clock
from chassis.delivery import RawSubscription, Subscription
from chassis.service import Service
from contracts.topics import DECLARATIONS, GATEWAY, PARTNERS, inbox
from gateway.domain.access import Owner, OwnerKind, Principal
from gateway.domain.pace import Pace
from gateway.http.application import Door, create_app, paths_of
from gateway.http.problems import unanswered
from gateway.keys.authentication import Authenticator
from gateway.keys.grpc_server import RIGHTS as KEY_RIGHTS
from gateway.keys.grpc_server import KeyRpc
from gateway.notices.notifications_client import LIST_INBOX, NotificationsClient
from gateway.outcomes.partner_events import MongoEventOutcomes
from gateway.outcomes.subscribers import CONSUMED, OutcomeHandler
from gateway.partners.aggregate import PARTNER
from gateway.partners.grpc_server import RIGHTS as PARTNER_RIGHTS
from gateway.partners.grpc_server import PartnerRpc
from gateway.partners.inbox import InboxHandler
from gateway.partners.known import KnownPartners
from gateway.partners.plausible import Limits
from gateway.receipts.keeping import Receipts
from gateway.receipts.messages import FIRM_RECEIPT, PARTNER_RECEIPT
from gateway.settings import GatewaySettings, InboxSettings
from gateway.stores import MongoKeys, MongoOriginals, MongoOutcomes, MongoQuarantine
from trade.gateway.v1.gateway_pb2_grpc import add_KeyServiceServicer_to_server
from trade.gateway.v1.partners_pb2_grpc import add_PartnerServiceServicer_to_server


def build(settings: GatewaySettings, clock: Clock | None = None) -> Service:
    """All parts of the gateway."""
    service = Service(settings, clock=clock)
    receipts = Receipts(
        partners=service.aggregates(PARTNER_RECEIPT, topic=PARTNERS),
        firms=service.aggregates(FIRM_RECEIPT, topic=GATEWAY),
        originals=MongoOriginals(service.db),
    )
    quarantine = MongoQuarantine(service.db)
    keys = MongoKeys(service.db)
    outcomes, event_outcomes = MongoOutcomes(service.db), MongoEventOutcomes(service.db)
    limits = Limits(timedelta(seconds=settings.clock_skew_seconds), timedelta(days=settings.event_age_days))
    registered = service.aggregates(PARTNER, topic=GATEWAY)
    partners = KnownPartners(registered, service.clock, cache_seconds=settings.key_cache_seconds)
    authenticator = Authenticator(keys, service.clock, cache_seconds=settings.key_cache_seconds)
    service.on_start(quarantine.create_indexes)
    service.on_start(keys.create_indexes)
    service.on_start(outcomes.create_indexes)
    service.on_start(event_outcomes.create_indexes)

    service.subscribe(Subscription(DECLARATIONS.name, CONSUMED, OutcomeHandler(outcomes, event_outcomes)))
    for each in settings.inboxes:
        handler = InboxHandler(_partner(each), partners, receipts, quarantine, service.clock, limits)
        service.subscribe(RawSubscription(inbox(each.partner).name, handler))

    service.grpc(
        lambda server: add_KeyServiceServicer_to_server(KeyRpc(keys, authenticator, partners, service.clock), server),
        rights=KEY_RIGHTS,
    )
    service.grpc(
        lambda server: add_PartnerServiceServicer_to_server(PartnerRpc(registered, partners), server),
        rights=PARTNER_RIGHTS,
    )
    door = Door(
        receipts=receipts,
        quarantine=quarantine,
        outcomes=outcomes,
        event_outcomes=event_outcomes,
        limits=limits,
        notices=NotificationsClient(service.peer("notifications", idempotent=[LIST_INBOX])),
        authenticator=authenticator,
        partners=partners,
        clock=service.clock,
        pace=Pace(settings.requests_per_second, settings.requests_at_once),
    )
    app = create_app(door)
    service.http(app, settings.http, paths=paths_of(app), otherwise=unanswered)
    return service


def _partner(settings: InboxSettings) -> Principal:
    """Who writes to a topic; the role is looked up with each batch."""
    return Principal(Owner(OwnerKind.PARTNER, settings.partner), settings.scopes)
