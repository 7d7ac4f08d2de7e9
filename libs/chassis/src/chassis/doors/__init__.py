"""HTTP doors: admission to an application, its server, and the admin port.

Owns: how many requests are admitted at once, how long one may take, and the error answers. Keeps: a request is turned
away only before it has begun, with the time to retry. Must not know gRPC, aggregates or Kafka.
"""

from chassis.doors.admission import AGAIN_SECONDS, Admission, Overloaded, TurnedAway, never
from chassis.doors.answering import AWAY_SECONDS, TRACE_ID, App, Instead, Otherwise, Scope, status_of

__all__ = [
    "AGAIN_SECONDS",
    "AWAY_SECONDS",
    "TRACE_ID",
    "Admission",
    "App",
    "Instead",
    "Otherwise",
    "Overloaded",
    "Scope",
    "TurnedAway",
    "never",
    "status_of",
]
