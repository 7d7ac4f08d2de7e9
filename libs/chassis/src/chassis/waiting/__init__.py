"""Waiting: deadlines, pending work, claimed effects, and waking for what was just saved.

Owns: timers, pending work, effects on the world outside, and the alarm by which they wake. Keeps: what is due is found
after a crash, by a seldom look; timers and pending work leave a parked document alone; an effect is claimed before it
is attempted, and attempted at least once, always under one id. Must not know Kafka or gRPC, nor what goes out.
"""

from chassis.waiting.alarm import SELDOM_SECONDS, Alarm
from chassis.waiting.at_creation import first_claims
from chassis.waiting.attempts import Effect, Limits, NotTaken, Taken
from chassis.waiting.effects import Effects
from chassis.waiting.pending import PendingWork

__all__ = [
    "SELDOM_SECONDS",
    "Alarm",
    "Effect",
    "Effects",
    "Limits",
    "NotTaken",
    "PendingWork",
    "Taken",
    "first_claims",
]
