"""Notices: a firm's inbox, as the service notifications keeps it.

Owns: the route of the inbox and the question behind it. Keeps: while notifications is away, this route alone answers
503. Must not keep a notice.
"""

from gateway.notices.notifications_client import LIST_INBOX, Notices, NotificationsClient
from gateway.notices.routes import router

__all__ = [
    "LIST_INBOX",
    "Notices",
    "NotificationsClient",
    "router",
]
