"""Notices: a firm's inbox, read from the notifications service.

Owns: the route of the inbox and the client of notifications. Keeps: while notifications is unreachable, only this route
answers 503. Must not store notices.
"""

from gateway.notices.notifications_client import LIST_INBOX, Notices, NotificationsClient
from gateway.notices.routes import router

__all__ = [
    "LIST_INBOX",
    "Notices",
    "NotificationsClient",
    "router",
]
