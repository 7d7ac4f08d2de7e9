"""Handlers of registry events and of matching's own events, and the pending queries to the registry.

Each side saves before it queries the other: a listing is saved before its event triggers the search for
candidates, and a match is saved before its event checks whether a listing has changed since. So whatever
the order of steps across replicas, no pair stays unjudged or judged on old terms.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chassis.aggregates import Input, Outcome
from chassis.clock import Clock
from chassis.delivery import Delivery, Event, to_input
from contracts.matching.v1 import ListingFact, MatchFact
from contracts.registry.v1 import EnterpriseChanged, EnterpriseFact, EnterpriseRegistered, EnterpriseSuspended
from matching import store
from matching.domain.listing import Command, Listing, RecheckParty, RecordStanding, Standing, SuspendParty
from matching.domain.match import JudgePair, listing_ids, match_id
from matching.domain.reference import Reference
from matching.domain.score import Fit, judge
from matching.domain.terms import Firm
from matching.store import Listings, Matches


class ListingMissing(Exception):
    """An event names a listing that is not stored."""


class StandingAnswer(Protocol):
    @property
    def standing(self) -> Standing: ...

    @property
    def enterprise_id(self) -> str: ...


class Registry(Protocol):
    """Port to the registry service."""

    async def standings(self, firms: Sequence[Firm]) -> Sequence[StandingAnswer]:
        """One answer per firm, in the order of `firms`. Raises if the registry is unreachable."""
        ...


@dataclass(frozen=True)
class AskStandings:
    """Pending work: query the registry for the firms of waiting listings, in one batch."""

    registry: Registry

    async def __call__(self, waiting: Sequence[Listing]) -> Sequence[Input[Command] | None]:
        firms = sorted({each.firm for each in waiting}, key=str)
        answers = dict(zip(firms, await self.registry.standings(firms), strict=True))
        return [self._input(each, answers[each.firm]) for each in waiting]

    def _input(self, listing: Listing, answer: StandingAnswer) -> Input[Command]:
        return Input(
            target=listing.id,
            cause=f"{listing.id}/standing/{listing.check}",
            command=RecordStanding(listing.check, answer.standing, answer.enterprise_id),
            actor="service:registry",
        )


@dataclass(frozen=True)
class EnterpriseEvents:
    """Applies registry events to every listing of the enterprise."""

    listings: Listings

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        return [[each.id for each in await self._listings_of(event.payload)] for event in events]

    async def _listings_of(self, payload: Any) -> Collection[Listing]:
        match payload:
            case EnterpriseRegistered() | EnterpriseChanged():
                firms = {Firm(each.scheme, each.value) for each in payload.identifiers}
                return await store.listings_of_firms(self.listings, firms)
            case EnterpriseFact():
                return await store.listings_of_enterprise(self.listings, payload.enterprise_id)
            case _:
                raise TypeError(f"{type(payload).__name__} is not an event of an enterprise")

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Listing]]:
        return await self.listings.apply([to_input(each, _command(each.event)) for each in deliveries])

    def aggregates_of(self, _target: str) -> Listings:
        return self.listings


def _command(event: Event) -> Command:
    return SuspendParty() if isinstance(event.payload, EnterpriseSuspended) else RecheckParty()


@dataclass(frozen=True)
class Matchmaking:
    """Own events: judges a listing that opened, changed or ended against the other side.

    The target is the match; its id contains the ids of both listings, whose current state is read.
    """

    listings: Listings
    matches: Matches
    reference: Reference
    clock: Clock

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        known = await store.listings_by_id(self.listings, _named(events))
        return [await self._targets(event.payload, known) for event in events]

    async def _targets(self, payload: Any, known: Mapping[str, Listing]) -> Sequence[str]:
        match payload:
            case ListingFact():
                return await self._of_listing(_get(known, payload.listing_id))
            case MatchFact():
                return [payload.match_id] if _moved_on(payload, known) else []
            case _:
                raise TypeError(f"{type(payload).__name__} is not an event of matching")

    async def _of_listing(self, one: Listing) -> Sequence[str]:
        """Ids of the listing's matches and of the pairs with candidates that fit."""
        now = self.clock.now()
        ids = {each.id for each in await store.found_with(self.matches, one)}
        for other in await store.candidates(self.listings, one):
            if isinstance(judge(one, other, now=now, reference=self.reference), Fit):
                ids.add(match_id(one, other))
        return sorted(ids)

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        pairs = [listing_ids(each.target) for each in deliveries]
        known = await store.listings_by_id(self.listings, {id_ for pair in pairs for id_ in pair})
        return await self.matches.apply(
            [
                to_input(delivery, JudgePair(_get(known, project), _get(known, mandate)))
                for delivery, (project, mandate) in zip(deliveries, pairs, strict=True)
            ]
        )

    def aggregates_of(self, _target: str) -> Matches:
        return self.matches


def _named(events: Sequence[Event]) -> set[str]:
    """Ids of the listings that the events are about."""
    ids = set[str]()
    for event in events:
        match event.payload:
            case ListingFact(listing_id=id_):
                ids.add(id_)
            case MatchFact(project=project, mandate=mandate):
                ids |= {project.listing_id, mandate.listing_id}
    return ids


def _get(known: Mapping[str, Listing], id_: str) -> Listing:
    if id_ not in known:
        raise ListingMissing(id_)
    return known[id_]


def _moved_on(payload: MatchFact, known: Mapping[str, Listing]) -> bool:
    """Whether either listing has changed since the match was judged."""
    return any(_get(known, side.listing_id).change > side.change for side in (payload.project, payload.mandate))
