"""What an event says of when and where, held against the clock and the lists: the same at every door.

An actual event has happened: not in the future, a little for partners' clocks aside, and not so long
ago that it can only be a slip. The clock is that of the receipt. A planned or estimated one may lie
anywhere. A place is a UN/LOCODE of a country that exists; one that is not listed, or whose country has
no list here, is taken with a warning.
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
    """How far an actual event may lie from the moment of its receipt."""

    ahead: timedelta = CLOCK_SKEW
    back: timedelta = timedelta(days=400)


def faults(event: PartnerEvent, limits: Limits) -> Iterator[Fault]:
    """What cannot be: each with its place, the value and the limit."""
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
    """What is odd and taken all the same."""
    place = event.location.unlocode if event.location is not None else None
    if place is None:
        return
    listed = places().get(place.country)
    if listed is None or place not in listed:
        code = "event.place_unchecked" if listed is None else "event.place_unlisted"
        yield ReceiptWarning(code=code, pointer=PLACE, value=shortened(place), expected="UN/LOCODE")
