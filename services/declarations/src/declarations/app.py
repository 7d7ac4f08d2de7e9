"""Builds declarations: its parts, the topics it reads, the methods it serves."""

from chassis.assembly import Assembly
from chassis.clock import Clock
from chassis.delivery import AggregateHandler, Subscription
from contracts.declarations.settlement import Allocated
from contracts.gateway.v1 import DeclarationSubmitted
from contracts.partners import v1 as partners_v1
from contracts.topics import DECLARATIONS, GATEWAY, PARTNERS
from declarations.aggregate import Declarations, declaration_type, passing_of
from declarations.domain.commands import Command
from declarations.domain.correlation import OF_MONEY
from declarations.domain.state import State
from declarations.early_events import Joiner, Sweeper, Waiting
from declarations.grpc_server import RIGHTS, DeclarationServicer
from declarations.handlers import LookUp, PartnerEventHandler, restore_serials
from declarations.messages import kind_of, lodging
from declarations.ports import PartnerEvents
from declarations.reference_data import load_law
from declarations.registry_client import CHECK_PARTIES, RegistryClient
from declarations.settings import DeclarationsSettings
from declarations.settlement_aggregate import SETTLEMENT
from declarations.settlements import ACCOUNT_EVENTS, ALLOCATED, AccountUpdates, PaymentHandler, share_of, take_share
from declarations.store import MongoPartnerEvents, MongoSerials
from trade.declarations.v1.declarations_pb2_grpc import add_DeclarationServiceServicer_to_server

SUBMITTED = "trade.gateway.declaration.submitted.v1"


PAYMENTS = {type_: partners_v1.EVENTS[type_] for type_ in partners_v1.EVENTS if kind_of(type_) in OF_MONEY}
"""Partner event types of banks."""

REPORTS = {type_: payload for type_, payload in partners_v1.EVENTS.items() if type_ not in PAYMENTS}
"""All other partner event types."""


def subscribe_money(
    service: Assembly, declarations: Declarations, events: PartnerEvents, reports: PartnerEventHandler
) -> None:
    """Subscribe to payments, to own events that accounts use, and to the shares that accounts allocate."""
    settlements = service.aggregates(SETTLEMENT, topic=DECLARATIONS)
    service.subscribe(Subscription(PARTNERS.name, PAYMENTS, PaymentHandler(reports, events, settlements)))
    service.subscribe(Subscription(DECLARATIONS.name, ACCOUNT_EVENTS, AccountUpdates(settlements, declarations)))
    shares: AggregateHandler[State, Command] = AggregateHandler(
        declarations, targets=share_of, command=lambda event, _: take_share(event)
    )
    service.subscribe(Subscription(DECLARATIONS.name, {ALLOCATED: Allocated}, shares))


def build(settings: DeclarationsSettings, clock: Clock | None = None) -> Assembly:
    """Build the service."""
    service = Assembly(settings, clock=clock)
    law = load_law(
        zone=settings.office_zone,
        payment_days=settings.payment_days,
        payment_seconds=settings.payment_seconds,
        home_office=settings.home_office,
    )
    declarations = service.aggregates(declaration_type(law), topic=DECLARATIONS)
    events = MongoPartnerEvents(service.db)
    serials = MongoSerials(service.db)
    service.on_start(events.create_indexes)
    service.on_rebuilt(lambda: restore_serials(declarations, serials))

    submissions: AggregateHandler[State, Command] = AggregateHandler(
        declarations,
        targets=lambda event: [lodging(event).declaration_id],
        command=lambda event, _: lodging(event),
    )
    service.subscribe(Subscription(GATEWAY.name, {SUBMITTED: DeclarationSubmitted}, submissions))
    waiting = Waiting(events, service.clock)
    reports = PartnerEventHandler(declarations, events, waiting)
    service.subscribe(Subscription(PARTNERS.name, REPORTS, reports))
    subscribe_money(service, declarations, events, reports)

    joiner = Joiner(declarations, events, waiting, service.parking)
    registry = RegistryClient(service.peer("registry", idempotent=[CHECK_PARTIES]))
    service.pending(declarations, LookUp(joiner, registry, serials), name="registry-lookup")
    service.timers(declarations, passing_of)
    service.background(Sweeper(declarations, events, waiting, joiner, service.clock).run)

    servicer = DeclarationServicer(declarations, events)
    service.grpc(lambda server: add_DeclarationServiceServicer_to_server(servicer, server), rights=RIGHTS)
    return service
