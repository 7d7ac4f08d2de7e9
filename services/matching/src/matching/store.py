"""Storage of listings and matches: their aggregate types, indexes and queries.

Every query is an equality on an index, so its cost depends on what it finds and not on how much is stored.
"""

from collections.abc import Collection
from datetime import timedelta

from pymongo import ASCENDING, IndexModel

from chassis.aggregates import Aggregates, AggregateType, dataclass_codec
from matching.domain import listing, listing_life, match
from matching.domain.listing import Listing
from matching.domain.match import JudgePair, Match
from matching.domain.reference import Reference
from matching.domain.terms import Firm, wanted_facets
from matching.messages import ListingMessages, MatchMessages

Listings = Aggregates[Listing, listing.Command, listing.Event]
Matches = Aggregates[Match, JudgePair, match.Event]

LISTING: AggregateType[Listing, listing.Command, listing.Event] = AggregateType(
    name="listing",
    collection="listings",
    decide=listing_life.decide,
    evolve=listing_life.evolve,
    key=lambda state: state.id,
    codec=dataclass_codec(Listing),
    messages=ListingMessages(),
    # MongoDB stores whole milliseconds: a truncated deadline would fire too early, and it fires only once.
    due_at=lambda state: ends + timedelta(milliseconds=1) if (ends := listing_life.expires_at(state)) else None,
    try_after=listing_life.ask_after,
    indexes=(
        IndexModel([("state.facets", ASCENDING)]),
        IndexModel([("state.enterprise_id", ASCENDING)]),
        IndexModel([("state.firm.value", ASCENDING)]),
    ),
)


def match_type(reference: Reference) -> AggregateType[Match, JudgePair, match.Event]:
    """The aggregate type of matches, judged with this reference data."""
    return AggregateType(
        name="match",
        collection="matches",
        decide=match.decider(reference),
        evolve=match.evolve,
        key=lambda state: state.id,
        codec=dataclass_codec(Match),
        messages=MatchMessages(),
        indexes=(
            IndexModel([("state.project.listing_id", ASCENDING)]),
            IndexModel([("state.mandate.listing_id", ASCENDING)]),
            IndexModel([("state.firms", ASCENDING), ("_id", ASCENDING)]),
        ),
    )


async def listings_by_id(listings: Listings, ids: Collection[str]) -> dict[str, Listing]:
    """Those of `ids` that exist."""
    if not ids:
        return {}
    return {each.id: each for each in await listings.find({"_id": {"$in": sorted(ids)}})}


async def listings_of_enterprise(listings: Listings, enterprise_id: str) -> list[Listing]:
    return await listings.find({"state.enterprise_id": enterprise_id})


async def listings_of_firms(listings: Listings, firms: Collection[Firm]) -> list[Listing]:
    """Listings submitted under one of these numbers."""
    found = await listings.find({"state.firm.value": {"$in": sorted({firm.value for firm in firms})}})
    return [each for each in found if each.firm in firms]


async def candidates(listings: Listings, one: Listing) -> list[Listing]:
    """Open listings of the other side that share a country and an instrument with this one."""
    return await listings.find({"state.facets": {"$in": list(wanted_facets(one.terms))}})


async def found_with(matches: Matches, one: Listing) -> list[Match]:
    """The current matches of this listing (status FOUND)."""
    return await matches.find({f"state.{one.kind}.listing_id": one.id, "state.status": match.Status.FOUND.value})


async def matches_of_firm(
    matches: Matches, firm: Firm, *, after: str, limit: int, withdrawn: bool = False
) -> list[Match]:
    """One page of a firm's matches in order of id, from the first id greater than `after`."""
    status = [match.Status.FOUND.value, *([match.Status.WITHDRAWN.value] if withdrawn else [])]
    return await matches.find(
        {"state.firms": str(firm), "_id": {"$gt": after}, "state.status": {"$in": status}},
        sort=[("_id", 1)],
        limit=limit,
    )
