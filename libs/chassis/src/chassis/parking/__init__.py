"""Parking: deliveries that cannot be applied, and the documents that wait behind them.

Owns: the store of parked deliveries, locks and their audit trail. Keeps: what is parked is lost only by a decision of a
person, which is kept. Must not know how a delivery is applied.
"""

from chassis.parking.model import Locked

__all__ = [
    "Locked",
]
