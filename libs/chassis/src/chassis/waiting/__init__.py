"""Waiting: deadlines, pending work, and waking for what was just saved.

Owns: timers, pending work, and the alarm by which they wake. Keeps: what is due is found after a crash, by a seldom
look; a parked document is left alone. Must not know Kafka or gRPC.
"""

from chassis.waiting.alarm import SELDOM_SECONDS, Alarm
from chassis.waiting.pending import PendingWork

__all__ = [
    "SELDOM_SECONDS",
    "Alarm",
    "PendingWork",
]
