"""What delivery as a whole needs of where its parked deliveries are: what each of its parts needs."""

from typing import Protocol

from chassis.delivery.breaker import BreakerStore
from chassis.delivery.giving_up import GivingUpStore
from chassis.delivery.locks import LockStore
from chassis.delivery.redrive import RedriveStore
from chassis.delivery.redrive_plan import PlanStore


class DeliveryStore(LockStore, BreakerStore, RedriveStore, GivingUpStore, PlanStore, Protocol):
    """The ports of all parts."""
