"""A listing: a project or a mandate of one firm under its own reference; its commands and its events.

How it lives stands in `listing_life`. Only an open listing is compared with others.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from matching.domain.terms import Firm, Terms


class Status(StrEnum):
    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"


class Closed(StrEnum):
    """Why a listing is not open."""

    SUSPENDED = "party_suspended"
    UNKNOWN = "party_unknown"
    EXPIRED = "expired"


class Standing(StrEnum):
    """What the registry says of a firm."""

    MAY_ACT = "may_act"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Listing:
    id: str
    firm: Firm
    reference: str
    terms: Terms
    status: Status
    enterprise_id: str
    """The firm's enterprise; until the registry has answered, the firm's own number is taken for it."""
    check: int
    asked_at: datetime
    change: int
    """Counts the events."""
    closed_for: Closed | None = None
    facets: tuple[str, ...] = ()
    """Keys under which the other side finds it; empty unless open."""

    @property
    def kind(self) -> str:
        return self.terms.kind


# Commands.


@dataclass(frozen=True, slots=True)
class SubmitListing:
    listing_id: str
    firm: Firm
    reference: str
    terms: Terms
    receipt_id: str


@dataclass(frozen=True, slots=True)
class RecordStanding:
    """The registry's answer to question number `check`."""

    check: int
    standing: Standing
    enterprise_id: str


@dataclass(frozen=True, slots=True)
class SuspendParty:
    """The registry suspended the firm."""


@dataclass(frozen=True, slots=True)
class RecheckParty:
    """The registry registered, changed or reinstated the firm."""


@dataclass(frozen=True, slots=True)
class ExpireListing:
    """The term the firm has set may be over."""


Command: TypeAlias = SubmitListing | RecordStanding | SuspendParty | RecheckParty | ExpireListing


# Events.


@dataclass(frozen=True, slots=True)
class ListingSubmitted:
    listing_id: str
    firm: Firm
    reference: str
    terms: Terms
    receipt_id: str
    check: int
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class ListingChecked:
    enterprise_id: str
    check: int
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class ListingPublished:
    enterprise_id: str


@dataclass(frozen=True, slots=True)
class ListingChanged:
    terms: Terms
    receipt_id: str


@dataclass(frozen=True, slots=True)
class ListingWithdrawn:
    reason: Closed


Event: TypeAlias = ListingSubmitted | ListingChecked | ListingPublished | ListingChanged | ListingWithdrawn
