"""Builds notifications: its subscriptions, look-ups, mail effect and gRPC service."""

from chassis.assembly import Assembly
from chassis.clock import Clock
from chassis.delivery import Subscription
from contracts.topics import DECLARATIONS, MATCHING, NOTIFICATIONS
from notifications.contacts import KnownContacts
from notifications.grpc_server import RIGHTS, NotificationRpc
from notifications.handlers import LookUp, NoticeHandler
from notifications.intents import Intents
from notifications.mail import SmtpPost
from notifications.mail_effect import mail_effect
from notifications.notices import NOTICE
from notifications.registry_client import RegistryContacts
from notifications.routing import DECLARATION_TYPES, MATCHING_TYPES
from notifications.settings import NotificationsSettings
from notifications.store import MongoTexts
from trade.notifications.v1.notifications_pb2_grpc import add_NotificationServiceServicer_to_server


def build(settings: NotificationsSettings, clock: Clock | None = None) -> Assembly:
    """Build the service."""
    service = Assembly(settings, clock=clock)
    notices = service.aggregates(NOTICE, topic=NOTIFICATIONS)
    texts = MongoTexts(service.db["texts"])
    service.on_start(texts.create_indexes)

    intents = Intents(settings.smtp.domain)
    post = SmtpPost(settings.smtp, attempt_seconds=settings.mail.attempt_seconds)
    mails = service.effects(notices, mail_effect(texts, post), settings.mail.limits)

    contacts = KnownContacts(RegistryContacts(service.peer("registry")), service.clock)
    handler = NoticeHandler(notices, intents, contacts, texts, mails, service.clock)
    service.subscribe(Subscription(DECLARATIONS.name, DECLARATION_TYPES, handler))
    service.subscribe(Subscription(MATCHING.name, MATCHING_TYPES, handler))

    service.pending(notices, LookUp(contacts, texts, service.clock), name="contacts", batch=100)

    rpc = NotificationRpc(notices, texts, contacts)
    service.grpc(lambda server: add_NotificationServiceServicer_to_server(rpc, server), rights=RIGHTS)
    return service
