"""Parking: deliveries that cannot be applied, and later deliveries for the same targets.

Owns: the store of parked deliveries, locks and their audit trail. Keeps: a parked delivery is removed only when it is
applied or a person discards it, and both are audited. Must not know how a delivery is applied.
"""

from chassis.parking.model import (
    BEHIND,
    BREAKER,
    STEP,
    AuditLine,
    Locked,
    OpenBreaker,
    PageMark,
    ParkedDelivery,
    ParkedTarget,
    Position,
    TargetPage,
    key_lock,
)

__all__ = [
    "BEHIND",
    "BREAKER",
    "STEP",
    "AuditLine",
    "Locked",
    "OpenBreaker",
    "PageMark",
    "ParkedDelivery",
    "ParkedTarget",
    "Position",
    "TargetPage",
    "key_lock",
]
