"""Listings and matches, as matching publishes them on `matching.events.v1`. Key: the listing's or the match's id.

A listing is a project or a mandate as one firm published it under its own reference. A match is one
project and one mandate that pass every hard filter; it explains its score and what it misses.
Codes are codes of `texts/matching.toml`, their `parameters` fill the placeholders of those texts.
"""

from enum import StrEnum

from pydantic import Field

from contracts.gateway.v1 import Mandate, Project
from contracts.values import Identifier, Payload, Timestamp


class ListingKind(StrEnum):
    PROJECT = "project"
    MANDATE = "mandate"


class ListingFact(Payload):
    """What every event of a listing says."""

    listing_id: str = Field(description="Derived from firm, kind and reference; set by matching")
    kind: ListingKind = Field(description="Project or mandate; set by matching")
    firm: Identifier = Field(description="The firm whose key submitted it; set by the gateway")
    reference: str = Field(description="The firm's own reference; set by the firm")
    change: int = Field(description="Counts the events of this listing from 1; set by matching")


class ListingTerms(ListingFact):
    """A fact that carries the whole listing; exactly one of `project` and `mandate` is there."""

    project: Project | None = Field(default=None, description="What is sought; set by the sponsor")
    mandate: Mandate | None = Field(default=None, description="What is offered; set by the investor")


class ListingSubmitted(ListingTerms):
    """New or changed terms wait for the registry's word on the firm."""

    check: int = Field(description="Counts the questions; an answer to an earlier one is void; set by matching")
    asked_at: Timestamp = Field(description="From when the registry is asked; set by matching")
    receipt_id: str = Field(description="The gateway's receipt of the submission; set by the gateway")


class ListingChecked(ListingFact):
    """The firm's standing is to be asked for (again)."""

    enterprise_id: str = Field(description="The enterprise as far as it is known; set by matching")
    check: int = Field(description="Counts the questions; an answer to an earlier one is void; set by matching")
    asked_at: Timestamp = Field(description="From when the registry is asked; set by matching")


class ListingPublished(ListingTerms):
    """The listing is open: it is compared with the other side."""

    enterprise_id: str = Field(description="The firm's enterprise in the registry; set by registry")


class ListingChanged(ListingTerms):
    """An open listing has other terms: it is compared anew."""

    receipt_id: str = Field(description="The gateway's receipt of the submission; set by the gateway")


class ListingWithdrawn(ListingFact):
    """The listing is not open, or not any more; its matches end."""

    reason: str = Field(description="party_suspended, party_unknown or expired; set by matching")


class MatchSide(Payload):
    """One side of a match, by reference: names and terms stay with the listing."""

    listing_id: str = Field(description="Set by matching")
    kind: ListingKind = Field(description="Project or mandate; set by matching")
    firm: Identifier = Field(description="The firm behind the listing; set by the gateway")
    reference: str = Field(description="The firm's own reference of the listing; set by the firm")
    change: int = Field(description="The `change` of the listing that was judged; set by matching")


class Reason(Payload):
    """What a criterion added to the score."""

    code: str = Field(description="Text code; set by matching")
    points: int = Field(ge=0, description="Points given; all points of a match add up to its score; set by matching")
    weight: int = Field(ge=0, description="Points the criterion gives at most; set by matching")
    parameters: dict[str, str] = Field(default={}, description="Values of the text's placeholders; set by matching")


class MissedCriterion(Payload):
    """What does not fit, or not wholly, though no hard filter refuses it."""

    code: str = Field(description="Text code; set by matching")
    parameters: dict[str, str] = Field(default={}, description="Values of the text's placeholders; set by matching")


class MatchFact(Payload):
    """What every event of a match says."""

    match_id: str = Field(description="Derived from the two listing ids; set by matching")
    project: MatchSide = Field(description="The side that seeks capital; set by matching")
    mandate: MatchSide = Field(description="The side that offers it; set by matching")
    round: int = Field(ge=1, description="Counts how often this pair was found, from 1; set by matching")


class MatchFound(MatchFact):
    """The two fit: for the first time, or again after a withdrawal (then `round` is higher)."""

    score: int = Field(ge=0, le=100, description="Sum of the reasons' points; set by matching")
    reasons: tuple[Reason, ...] = Field(description="What the score is made of; set by matching")
    missed: tuple[MissedCriterion, ...] = Field(default=(), description="What does not fit; set by matching")
    judged_at: Timestamp = Field(description="When the pair was judged; set by matching")


class MatchChanged(MatchFound):
    """The two still fit, with another score or for other reasons."""


class MatchWithdrawn(MatchFact):
    """The two no longer fit."""

    reason: str = Field(description="Code below `matching.withdrawn.`, such as party_suspended; set by matching")
    parameters: dict[str, str] = Field(default={}, description="Values of the text's placeholders; set by matching")


EVENTS: dict[str, type[Payload]] = {
    "trade.matching.listing.submitted.v1": ListingSubmitted,
    "trade.matching.listing.checked.v1": ListingChecked,
    "trade.matching.listing.published.v1": ListingPublished,
    "trade.matching.listing.changed.v1": ListingChanged,
    "trade.matching.listing.withdrawn.v1": ListingWithdrawn,
    "trade.matching.match.found.v1": MatchFound,
    "trade.matching.match.changed.v1": MatchChanged,
    "trade.matching.match.withdrawn.v1": MatchWithdrawn,
}
"""Event type on the wire → payload."""
