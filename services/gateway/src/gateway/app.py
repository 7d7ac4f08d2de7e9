"""Builds the gateway: its subscriptions, its HTTP and gRPC servers, its stores."""

from datetime import timedelta

from fastapi import APIRouter

from chassis.assembly import Assembly
from chassis.clock import Clock
from chassis.delivery import RawSubscription, Subscription
from contracts.topics import DECLARATIONS, GATEWAY, PARTNERS, inbox
from gateway import firms, keys, notices, outcomes, partners, receipts
from gateway.domain.access import Owner, OwnerKind, Principal
from gateway.domain.pace import Pace
from gateway.http.admission import Admission
from gateway.http.application import create_app, paths_of
from gateway.http.problems import unanswered
from gateway.settings import GatewaySettings, InboxSettings
from trade.gateway.v1.gateway_pb2_grpc import add_KeyServiceServicer_to_server
from trade.gateway.v1.partners_pb2_grpc import add_PartnerServiceServicer_to_server


def build(settings: GatewaySettings, clock: Clock | None = None) -> Assembly:
    """Build the service."""
    service = Assembly(settings, clock=clock)
    kept = _receipts(service)
    quarantine, issued = partners.MongoQuarantine(service.db), keys.MongoKeys(service.db)
    of_declarations, of_events = outcomes.MongoOutcomes(service.db), outcomes.MongoEventOutcomes(service.db)
    service.on_start(quarantine.create_indexes)
    service.on_start(issued.create_indexes)
    service.on_start(of_declarations.create_indexes)
    service.on_start(of_events.create_indexes)
    limits = partners.Limits(timedelta(seconds=settings.clock_skew_seconds), timedelta(days=settings.event_age_days))
    registered = service.aggregates(partners.PARTNER, topic=GATEWAY)
    known = partners.KnownPartners(registered, service.clock, cache_seconds=settings.key_cache_seconds)
    authenticator = keys.KeyAuthenticator(issued, service.clock, cache_seconds=settings.key_cache_seconds)

    told = outcomes.OutcomeHandler(of_declarations, of_events)
    service.subscribe(Subscription(DECLARATIONS.name, outcomes.CONSUMED, told))
    for each in settings.inboxes:
        handler = partners.InboxHandler(_partner(each), known, kept, quarantine, service.clock, limits)
        service.subscribe(RawSubscription(inbox(each.partner).name, handler))

    _serve_staff(
        service, keys.KeyRpc(issued, authenticator, known, service.clock), partners.PartnerRpc(registered, known)
    )
    app = create_app(
        routers(
            Admission(authenticator, Pace(settings.requests_per_second, settings.requests_at_once), service.clock),
            clock=service.clock,
            limits=limits,
            kept=kept,
            known=known,
            quarantine=quarantine,
            of_declarations=of_declarations,
            of_events=of_events,
            inboxes=notices.NotificationsClient(service.peer("notifications", idempotent=[notices.LIST_INBOX])),
        )
    )
    service.http(app, settings.http, paths=paths_of(app), otherwise=unanswered)
    return service


def routers(
    admission: Admission,
    *,
    clock: Clock,
    limits: partners.Limits,
    kept: receipts.Receipts,
    known: partners.KnownPartners,
    quarantine: partners.Quarantine,
    of_declarations: outcomes.Outcomes,
    of_events: outcomes.EventOutcomes,
    inboxes: notices.Notices,
) -> list[APIRouter]:
    """The routers of all slices."""
    outcome_of = outcomes.SubmissionOutcomes(of_declarations, of_events).of_receipt
    return [
        partners.event_routes(admission, known, kept, clock, limits),
        firms.router(admission, kept, clock),
        notices.router(admission, inboxes),
        receipts.router(admission, kept, outcome_of),
        outcomes.router(admission, kept, of_declarations),
        partners.quarantine_routes(admission, quarantine),
    ]


def _receipts(service: Assembly) -> receipts.Receipts:
    return receipts.Receipts(
        partners=service.aggregates(receipts.PARTNER_RECEIPT, topic=PARTNERS),
        firms=service.aggregates(receipts.FIRM_RECEIPT, topic=GATEWAY),
        originals=receipts.MongoOriginals(service.db),
    )


def _serve_staff(service: Assembly, key_rpc: keys.KeyRpc, partner_rpc: partners.PartnerRpc) -> None:
    service.grpc(lambda server: add_KeyServiceServicer_to_server(key_rpc, server), rights=keys.RIGHTS)
    service.grpc(lambda server: add_PartnerServiceServicer_to_server(partner_rpc, server), rights=partners.RIGHTS)


def _partner(settings: InboxSettings) -> Principal:
    """The partner that writes to a topic; its role is looked up for each batch."""
    return Principal(Owner(OwnerKind.PARTNER, settings.partner), settings.scopes)
