"""The port of the parking store for all of delivery."""

from typing import Protocol

from chassis.delivery.breaker import BreakerStore
from chassis.delivery.giving_up import GivingUpStore
from chassis.delivery.locks import LockStore
from chassis.delivery.redrive import RedriveStore
from chassis.delivery.redrive_plan import PlanStore


class DeliveryStore(LockStore, BreakerStore, RedriveStore, GivingUpStore, PlanStore, Protocol):
    """The ports of all parts of delivery."""
