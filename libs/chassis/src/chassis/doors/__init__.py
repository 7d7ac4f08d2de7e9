"""HTTP doors: the application behind its admission, its server, and the admin port.

Owns: who is let in, how many at once, how long a request may take, and what is answered instead. Keeps: whoever is
turned away is told when to come again, before anything is begun. Must not know gRPC, aggregates or Kafka.
"""

from chassis.doors.answering import AWAY_SECONDS, TRACE_ID, App, Instead, Otherwise, Scope, status_of

__all__ = [
    "AWAY_SECONDS",
    "TRACE_ID",
    "App",
    "Instead",
    "Otherwise",
    "Scope",
    "status_of",
]
