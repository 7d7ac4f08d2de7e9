"""Waiting: deadlines, pending work and claimed effects.

Owns: timers, pending work, external effects, and the alarm that wakes their loops. Keeps: a periodic scan finds due
work after a crash; timers and pending work skip parked documents; an effect is claimed before it is attempted, and
attempted at least once, always under one id. Must not know Kafka, gRPC or the content of effects.
"""

from chassis.waiting.alarm import SELDOM_SECONDS, Alarm
from chassis.waiting.at_creation import first_claims
from chassis.waiting.attempts import Effect, Limits, NotTaken, Route, Taken
from chassis.waiting.effects import Effects
from chassis.waiting.pending import PendingWork
from chassis.waiting.timers import Passing

__all__ = [
    "SELDOM_SECONDS",
    "Alarm",
    "Effect",
    "Effects",
    "Limits",
    "NotTaken",
    "Passing",
    "PendingWork",
    "Route",
    "Taken",
    "first_claims",
]
