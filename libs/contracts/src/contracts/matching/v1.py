"""Listings and matches, published by matching on `matching.events.v1`. Key: the listing's or the match's id.

A listing is a project or a mandate that a firm published under its own reference. A match is a project and a mandate
that pass every hard filter; it explains its score and the criteria it misses. Codes are keys of `texts/matching.toml`;
their `parameters` fill the placeholders of those texts.
"""

from enum import StrEnum

from pydantic import Field

from contracts.gateway.v1 import Mandate, Project
from contracts.values import Identifier, Payload, Timestamp


class ListingKind(StrEnum):
    PROJECT = "project"
    MANDATE = "mandate"


class ListingFact(Payload):
    """The fields of every event of a listing."""

    listing_id: str = Field(description="Derived from firm, kind and reference; set by matching")
    kind: ListingKind = Field(description="Project or mandate; set by matching")
    firm: Identifier = Field(description="The firm whose key submitted it; set by the gateway")
    reference: str = Field(description="The firm's own reference; set by the firm")
    change: int = Field(description="Counts the events of this listing from 1; set by matching")


class ListingTerms(ListingFact):
    """An event with the whole listing; exactly one of `project` and `mandate` is set."""

    project: Project | None = Field(default=None, description="What is sought; set by the sponsor")
    mandate: Mandate | None = Field(default=None, description="What is offered; set by the investor")


class ListingSubmitted(ListingTerms):
    """New or changed terms; the registry is asked whether the firm may act."""

    check: int = Field(description="Counts the questions; an answer to an earlier one is void; set by matching")
    asked_at: Timestamp = Field(description="From when the registry is asked; set by matching")
    receipt_id: str = Field(description="The gateway's receipt of the submission; set by the gateway")


class ListingChecked(ListingFact):
    """The registry is asked for the firm's standing, for the first time or again."""

    enterprise_id: str = Field(description="The enterprise, empty if not known yet; set by matching")
    check: int = Field(description="Counts the questions; an answer to an earlier one is void; set by matching")
    asked_at: Timestamp = Field(description="From when the registry is asked; set by matching")


class ListingPublished(ListingTerms):
    """The listing is open, and is compared with the other side."""

    enterprise_id: str = Field(description="The firm's enterprise in the registry; set by registry")


class ListingChanged(ListingTerms):
    """The terms of an open listing changed; it is compared again."""

    receipt_id: str = Field(description="The gateway's receipt of the submission; set by the gateway")


class ListingWithdrawn(ListingFact):
    """The listing is not open, or no longer open; its matches end."""

    reason: str = Field(description="party_suspended, party_unknown or expired; set by matching")


class MatchSide(Payload):
    """One side of a match, by reference: names and terms are in the listing."""

    listing_id: str = Field(description="Set by matching")
    kind: ListingKind = Field(description="Project or mandate; set by matching")
    firm: Identifier = Field(description="The firm behind the listing; set by the gateway")
    reference: str = Field(description="The firm's own reference of the listing; set by the firm")
    change: int = Field(description="The `change` of the listing that was judged; set by matching")


class Reason(Payload):
    """The points that a criterion added to the score."""

    code: str = Field(description="Text code; set by matching")
    points: int = Field(ge=0, description="Points given; the score is the sum over all reasons; set by matching")
    weight: int = Field(ge=0, description="Maximum points of the criterion; set by matching")
    parameters: dict[str, str] = Field(default={}, description="Values of the text's placeholders; set by matching")


class MissedCriterion(Payload):
    """A criterion that does not fit, or not fully, but is not a hard filter."""

    code: str = Field(description="Text code; set by matching")
    parameters: dict[str, str] = Field(default={}, description="Values of the text's placeholders; set by matching")


class MatchFact(Payload):
    """The fields of every event of a match."""

    match_id: str = Field(description="Derived from the two listing ids; set by matching")
    project: MatchSide = Field(description="The side that seeks capital; set by matching")
    mandate: MatchSide = Field(description="The side that offers it; set by matching")
    round: int = Field(ge=1, description="How often this pair was found, from 1; set by matching")


class MatchFound(MatchFact):
    """The two match, for the first time or again after a withdrawal (then `round` is higher)."""

    score: int = Field(ge=0, le=100, description="Sum of the reasons' points; set by matching")
    reasons: tuple[Reason, ...] = Field(description="The composition of the score; set by matching")
    missed: tuple[MissedCriterion, ...] = Field(default=(), description="Criteria that do not fit; set by matching")
    judged_at: Timestamp = Field(description="When the pair was judged; set by matching")


class MatchChanged(MatchFound):
    """The two still match, with another score or other reasons."""


class MatchWithdrawn(MatchFact):
    """The two no longer match."""

    reason: str = Field(description="Code under `matching.withdrawn.`, such as party_suspended; set by matching")
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
