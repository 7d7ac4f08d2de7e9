"""Partners: their registration and grants, and the events that they report over HTTP and on their own topics.

Owns: registration, the use case of partner events, both bindings of CloudEvents, the quarantine. Keeps: an event is
validated the same over HTTP and Kafka, and every record of a topic is accepted or quarantined. Must not decide what an
event means for a shipment.
"""

from gateway.partners.aggregate import PARTNER
from gateway.partners.grpc_server import RIGHTS, PartnerRpc
from gateway.partners.inbox import InboxHandler
from gateway.partners.known import KnownPartners
from gateway.partners.plausible import Limits
from gateway.partners.quarantine import Quarantine
from gateway.partners.routes import event_routes, quarantine_routes
from gateway.partners.store import MongoQuarantine

__all__ = [
    "PARTNER",
    "RIGHTS",
    "InboxHandler",
    "KnownPartners",
    "Limits",
    "MongoQuarantine",
    "PartnerRpc",
    "Quarantine",
    "event_routes",
    "quarantine_routes",
]
