"""Builds matching: its parts, the topics it reads, the methods it serves."""

from collections.abc import Sequence

from chassis.assembly import Assembly
from chassis.clock import Clock
from chassis.delivery import AggregateHandler, Subscription
from chassis.waiting import Passing
from contracts.gateway.v1 import MandateSubmitted, ProjectSubmitted
from contracts.matching import v1 as matching_v1
from contracts.registry import v1 as registry_v1
from contracts.topics import GATEWAY, MATCHING, REGISTRY
from contracts.values import Payload
from matching.domain.listing import Command, ExpireListing, Listing
from matching.domain.reference import Reference
from matching.grpc_server import RIGHTS, MatchingServicer
from matching.handlers import AskStandings, EnterpriseEvents, Matchmaking
from matching.messages import submission
from matching.reference_data import load_reference
from matching.registry_client import CHECK_PARTIES, RegistryClient
from matching.settings import MatchingSettings
from matching.store import LISTING, Listings, Matches, match_type
from trade.matching.v1.matching_pb2_grpc import add_MatchingServiceServicer_to_server

SUBMISSIONS: dict[str, type[Payload]] = {
    "trade.gateway.project.submitted.v1": ProjectSubmitted,
    "trade.gateway.mandate.submitted.v1": MandateSubmitted,
}

LOOKED_AT = (
    "trade.matching.listing.published.v1",
    "trade.matching.listing.changed.v1",
    "trade.matching.listing.withdrawn.v1",
    "trade.matching.match.found.v1",
    "trade.matching.match.changed.v1",
    "trade.matching.match.withdrawn.v1",
)
"""Own event types that matching consumes; each starts the next step."""


def subscriptions(listings: Listings, matches: Matches, reference: Reference, clock: Clock) -> Sequence[Subscription]:
    """The subscriptions of matching."""
    submissions: AggregateHandler[Listing, Command] = AggregateHandler(
        listings,
        targets=lambda event: [submission(event.payload).listing_id],
        command=lambda event, _: submission(event.payload),
    )
    own = {type_: matching_v1.EVENTS[type_] for type_ in LOOKED_AT}
    return (
        Subscription(GATEWAY.name, SUBMISSIONS, submissions),
        Subscription(REGISTRY.name, registry_v1.EVENTS, EnterpriseEvents(listings)),
        Subscription(MATCHING.name, own, Matchmaking(listings, matches, reference, clock)),
    )


def build(settings: MatchingSettings, clock: Clock | None = None) -> Assembly:
    """Build the service."""
    service = Assembly(settings, clock=clock)
    reference = load_reference()
    listings = service.aggregates(LISTING, topic=MATCHING)
    matches = service.aggregates(match_type(reference), topic=MATCHING)
    for subscription in subscriptions(listings, matches, reference, service.clock):
        service.subscribe(subscription)

    registry = RegistryClient(service.peer("registry", idempotent=[CHECK_PARTIES]))
    service.pending(listings, AskStandings(registry), name="registry-standing")
    service.timers(listings, lambda _: Passing("expiry", ExpireListing()))

    servicer = MatchingServicer(matches)
    service.grpc(lambda server: add_MatchingServiceServicer_to_server(servicer, server), rights=RIGHTS)
    return service
