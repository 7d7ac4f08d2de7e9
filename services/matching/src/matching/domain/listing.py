"""A listing: a project or a mandate of one firm under its own reference; its commands and its events.

Its life cycle is in `listing_life`. Only an open listing is compared with others.
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
    """The registry's answer about a firm."""

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
    """The firm's enterprise id; the firm's own number until the registry has answered."""
    check: int
    asked_at: datetime
    change: int
    """Number of events so far."""
    closed_for: Closed | None = None
    facets: tuple[str, ...] = ()
    """Index keys under which listings of the other side find it; empty unless open."""

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
    """The registry's answer to query number `check`."""

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
    """The timer of the listing's expiry date has fired."""


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
