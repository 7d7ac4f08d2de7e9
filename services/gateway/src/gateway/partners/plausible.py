"""Checks the time and place of a partner event, the same over HTTP and Kafka.

The time of an actual event must not be in the future, apart from a tolerance for partners' clocks, nor
so long ago that it must be a typing error, measured at the time of receipt. A planned or estimated time
is not checked. A place must be a UN/LOCODE of an existing country; one that is not listed, or whose
country has no list, is accepted with a warning.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from contracts.codes import is_place, places
from contracts.gateway.v1 import ReceiptWarning
from contracts.partners.v1 import PartnerEvent
from contracts.values import Classifier
from gateway.domain.faults import Fault
from values.faults import shortened
from values.moments import CLOCK_SKEW

PLACE = "/data/location/unlocode"


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the time of an actual event may differ from the time of its receipt."""

    ahead: timedelta = CLOCK_SKEW
    back: timedelta = timedelta(days=400)


def faults(event: PartnerEvent, limits: Limits) -> Iterator[Fault]:
    """Faults, each with its pointer, value and limit."""
    place = event.location.unlocode if event.location is not None else None
    if place is not None and not is_place(place):
        yield Fault("event.place", PLACE, {"value": place}, place)
    if event.classifier is not Classifier.ACTUAL:
        return
    latest, earliest = event.received_at + limits.ahead, event.received_at - limits.back
    said = event.occurred_at.isoformat()
    if event.occurred_at > latest:
        yield Fault("event.in_the_future", "/data/occurred_at", {"value": said, "limit": latest.isoformat()}, said)
    if event.occurred_at < earliest:
        yield Fault("event.too_old", "/data/occurred_at", {"value": said, "limit": earliest.isoformat()}, said)


def warnings(event: PartnerEvent) -> Iterator[ReceiptWarning]:
    """Warnings about an accepted event."""
    place = event.location.unlocode if event.location is not None else None
    if place is None:
        return
    listed = places().get(place.country)
    if listed is None or place not in listed:
        code = "event.place_unchecked" if listed is None else "event.place_unlisted"
        yield ReceiptWarning(code=code, pointer=PLACE, value=shortened(place), expected="UN/LOCODE")
